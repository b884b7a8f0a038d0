"""Core's admin pages."""

from __future__ import annotations

import pytest
from django.test import Client

from core import services
from core.models import CostCentre, Permission, Role, RolePermission, User, UserRole
from tests.support.business import (
    admin_models,
    admin_url,
    count_queries,
    make_cost_centre,
    make_user,
    superuser_client,
)

pytestmark = pytest.mark.usefixtures("rolled_back")


@pytest.mark.parametrize("model", [User, Role, Permission, CostCentre])
def test_lists_open_and_can_be_searched(model):
    client = superuser_client()
    assert client.get(admin_url(model, "changelist")).status_code == 200
    assert client.get(admin_url(model, "changelist"), {"q": "a"}).status_code == 200


def test_every_core_model_with_pages_is_tried():
    assert set(admin_models("core")) == {User, Role, Permission, CostCentre}


@pytest.mark.parametrize("model", [User, Role, CostCentre])
def test_rows_can_be_added(model):
    assert superuser_client().get(admin_url(model, "add")).status_code == 200


def test_the_list_of_permissions_is_read_only():
    client = superuser_client()
    assert client.get(admin_url(Permission, "add")).status_code == 403


def test_a_list_costs_the_same_however_long_it_is():
    client = superuser_client()
    few = count_queries(client, admin_url(Role, "changelist"))
    for number in range(10):
        role = Role.objects.create(code=f"role{number}", name="Role")
        services.role_permission_add(role=role, code="hr.view_employee")
        services.role_grant(user=make_user(), role=role)
        make_cost_centre()
    assert count_queries(client, admin_url(Role, "changelist")) == few


def test_a_user_page_costs_the_same_however_many_roles_they_hold():
    client, user = superuser_client(), make_user()
    url = admin_url(User, "change", user.pk)

    def grant(code):
        role = Role.objects.create(code=code, name="Role")
        services.role_grant(user=user, role=role, granted_by=make_user())

    grant("first")
    few = count_queries(client, url)
    for number in range(5):
        grant(f"more{number}")
    assert count_queries(client, url) == few


def post_user(client, user, grants):
    """Save the page of a user with one form for each of the grants."""
    form = client.get(admin_url(User, "change", user.pk)).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    data |= {"groups": [], "user_permissions": [], "last_login_0": "", "last_login_1": ""}
    stored = sum("id" in fields for fields in grants)
    data |= {"user_roles-TOTAL_FORMS": len(grants), "user_roles-INITIAL_FORMS": stored}
    for number, fields in enumerate(grants):
        fields = {"user": user.pk, **fields}
        data |= {f"user_roles-{number}-{name}": str(value) for name, value in fields.items()}
    return client.post(admin_url(User, "change", user.pk), data)


def test_roles_are_granted_and_revoked_through_the_services():
    client, user = superuser_client(), make_user(email="lek@example.com")
    role = Role.objects.create(code="pharmacist", name="Pharmacist")
    response = post_user(client, user, [{"role": role.pk}])
    assert response.status_code == 302, response.context["errors"]
    grant = UserRole.objects.get(user=user)
    assert grant.role == role
    assert grant.granted_by.is_superuser
    post_user(client, user, [{"id": grant.pk, "role": role.pk, "DELETE": "on"}])
    assert not UserRole.objects.exists()


def test_a_grant_that_has_expired_is_refused_in_the_form():
    client, user = superuser_client(), make_user()
    role = Role.objects.create(code="pharmacist", name="Pharmacist")
    expired = {"role": role.pk, "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}
    response = post_user(client, user, [expired])
    assert "A role cannot expire before it is granted." in response.content.decode()
    assert not UserRole.objects.exists()


def test_permissions_of_a_role_are_added_and_removed_through_the_services():
    client = superuser_client()
    role = Role.objects.create(code="clerk", name="Clerk")
    permission = Permission.objects.get(code="hr.view_employee")
    url = admin_url(Role, "change", role.pk)
    data = {"code": "clerk", "name": "Clerk", "description": ""}
    data |= {"role_permissions-TOTAL_FORMS": 1, "role_permissions-INITIAL_FORMS": 0}
    data |= {"role_permissions-0-role": role.pk}
    data |= {"role_permissions-0-permission": permission.pk}
    assert client.post(url, data).status_code == 302
    row = RolePermission.objects.get()
    assert (row.role, row.permission) == (role, permission)
    data |= {"role_permissions-INITIAL_FORMS": 1, "role_permissions-0-id": row.pk}
    assert client.post(url, {**data, "role_permissions-0-DELETE": "on"}).status_code == 302
    assert not RolePermission.objects.exists()


def test_a_role_opens_the_pages_it_allows_and_no_others():
    staff = make_user(is_staff=True)
    role = Role.objects.create(code="clerk", name="Clerk")
    services.role_permission_add(role=role, code="core.view_costcentre")
    services.role_grant(user=staff, role=role)
    client = Client()
    client.force_login(staff)
    assert client.get(admin_url(CostCentre, "changelist")).status_code == 200
    assert client.get(admin_url(CostCentre, "add")).status_code == 403
    assert client.get(admin_url(Role, "changelist")).status_code == 403
