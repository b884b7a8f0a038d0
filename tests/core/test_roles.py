"""Roles in Django's permission checks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.auth.models import Permission as AuthPermission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import selectors, services
from core.models import Permission, Role, RolePermission, UserRole
from tests.support.business import make_user

pytestmark = pytest.mark.usefixtures("rolled_back")
CHANGE_DRUG = "inventory.change_drug"


def fresh(user):
    """Return the user as the next request reads it, without cached permissions."""
    return get_user_model().objects.get(pk=user.pk)


@pytest.fixture
def pharmacist(rolled_back):
    role = Role.objects.create(code="pharmacist", name="Pharmacist")
    services.role_permission_add(role=role, code=CHANGE_DRUG)
    return role


def test_a_role_allows_its_permissions(pharmacist):
    user = make_user()
    assert not user.has_perm(CHANGE_DRUG)
    services.role_grant(user=user, role=pharmacist)
    user = fresh(user)
    assert user.has_perm(CHANGE_DRUG)
    assert not user.has_perm("inventory.delete_drug")
    assert user.has_module_perms("inventory")
    assert not user.has_module_perms("finance")
    assert user.get_all_permissions() == {CHANGE_DRUG}


def test_a_role_allows_nothing_for_an_object(pharmacist):
    user = make_user()
    services.role_grant(user=user, role=pharmacist)
    assert not user.has_perm(CHANGE_DRUG, obj=pharmacist)


def test_a_revoked_role_allows_nothing(pharmacist):
    user = make_user()
    services.role_grant(user=user, role=pharmacist)
    assert services.role_revoke(user=user, role=pharmacist)
    assert not fresh(user).has_perm(CHANGE_DRUG)
    assert not services.role_revoke(user=user, role=pharmacist)


def test_an_expired_role_allows_nothing(pharmacist):
    user = make_user()
    long_ago = timezone.now() - timedelta(days=9)
    UserRole.objects.create(
        user=user, role=pharmacist, granted_at=long_ago, expires_at=long_ago + timedelta(days=1)
    )
    assert not user.has_perm(CHANGE_DRUG)
    assert not selectors.role_list(user=user).exists()
    services.role_grant(user=user, role=pharmacist, expires_at=timezone.now() + timedelta(days=1))
    assert fresh(user).has_perm(CHANGE_DRUG)


def test_an_inactive_user_has_no_permissions(pharmacist):
    user = make_user(is_active=False)
    services.role_grant(user=user, role=pharmacist)
    assert not user.has_perm(CHANGE_DRUG)
    assert not AnonymousUser().has_perm(CHANGE_DRUG)


def test_groups_and_own_permissions_still_count(pharmacist):
    user = make_user()
    by_codename = AuthPermission.objects.filter(content_type__app_label="inventory")
    user.user_permissions.add(by_codename.get(codename="view_drug"))
    group = Group.objects.create(name="stock")
    group.permissions.add(by_codename.get(codename="delete_drug"))
    user.groups.add(group)
    services.role_grant(user=user, role=pharmacist)
    expected = {"inventory.view_drug", "inventory.delete_drug", CHANGE_DRUG}
    assert fresh(user).get_all_permissions() == expected


def test_with_perm_finds_holders_of_a_role(pharmacist):
    holder, left, other = make_user(), make_user(is_active=False), make_user()
    boss = make_user(is_superuser=True)
    for user in (holder, left):
        services.role_grant(user=user, role=pharmacist)
    users = get_user_model().objects
    assert set(users.with_perm(CHANGE_DRUG)) == {holder, boss}
    assert set(users.with_perm(CHANGE_DRUG, include_superusers=False)) == {holder}
    assert set(users.with_perm(CHANGE_DRUG, is_active=None)) == {holder, left, boss}
    permission = AuthPermission.objects.get(
        content_type__app_label="inventory", codename="change_drug"
    )
    assert set(users.with_perm(permission)) == {holder, boss}
    assert other not in users.with_perm(CHANGE_DRUG)
    assert not users.with_perm(CHANGE_DRUG, obj=pharmacist).exists()


def test_permission_add__unknown_code(pharmacist):
    with pytest.raises(ValidationError) as raised:
        services.role_permission_add(role=pharmacist, code="inventory.eat_drug")
    assert raised.value.messages == [
        'The permission "inventory.eat_drug" does not exist. '
        "Migrate the domain that declares it first."
    ]


def test_permission_add__twice_and_remove(pharmacist):
    services.role_permission_add(role=pharmacist, code=CHANGE_DRUG)
    assert RolePermission.objects.filter(role=pharmacist).count() == 1
    assert services.role_permission_remove(role=pharmacist, code=CHANGE_DRUG)
    assert not services.role_permission_remove(role=pharmacist, code=CHANGE_DRUG)


def test_granting_again_changes_the_expiry_and_the_grantor(pharmacist):
    user, boss = make_user(), make_user()
    services.role_grant(user=user, role=pharmacist)
    tomorrow = timezone.now() + timedelta(days=1)
    services.role_grant(user=user, role=pharmacist, granted_by=boss, expires_at=tomorrow)
    grant = UserRole.objects.get(user=user)
    assert (grant.granted_by, grant.expires_at) == (boss, tomorrow)


def test_grant__already_expired(pharmacist):
    with pytest.raises(ValidationError) as raised:
        services.role_grant(
            user=make_user(), role=pharmacist, expires_at=timezone.now() - timedelta(days=1)
        )
    assert raised.value.messages == ["A role cannot expire before it is granted."]


def test_the_database_refuses_a_role_twice_and_an_expiry_before_the_grant(pharmacist):
    user, now = make_user(), timezone.now()
    UserRole.objects.create(user=user, role=pharmacist)
    with pytest.raises(IntegrityError, match="user_roles_user_role_key"), transaction.atomic():
        UserRole.objects.create(user=user, role=pharmacist)
    with pytest.raises(IntegrityError, match="user_roles_period_check"), transaction.atomic():
        UserRole.objects.create(
            user=make_user(), role=pharmacist, granted_at=now, expires_at=now - timedelta(1)
        )


def test_roles_can_carry_every_permission_that_django_knows():
    declared = {
        f"{app_label}.{codename}"
        for app_label, codename in AuthPermission.objects.values_list(
            "content_type__app_label", "codename"
        )
    }
    assert {CHANGE_DRUG, "hr.view_employee", "finance.add_journal"} <= declared
    assert set(Permission.objects.values_list("code", flat=True)) == declared
