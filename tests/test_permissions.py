"""The permissions to view domains, created when a domain is migrated."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, router

from core.models import Permission as RolePermission
from domain_migrations.permissions import create_domain_permissions, visible_domains
from tests.admin.sample_data import member
from tests.support.business import make_user, rolled_back

EVERY = ["core", "finance", "hr", "inventory"]


@pytest.fixture(scope="module", autouse=True)
def database(migrated_module_database: str) -> None:
    pass


@pytest.fixture(autouse=True)
def in_transaction():
    with rolled_back():
        yield


def made() -> list[str]:
    codes = Permission.objects.filter(codename__startswith="view_domain_").values_list("codename")
    return sorted(code.removeprefix("view_domain_") for (code,) in codes)


def test_migrating_makes_them():
    assert made() == EVERY
    assert Permission.objects.filter(codename="view_domain").count() == 1
    assert RolePermission.objects.filter(code="domain_migrations.view_domain_hr").exists()


def test_a_domain_makes_its_own():
    Permission.objects.filter(codename__startswith="view_domain_").delete()
    create_domain_permissions(apps.get_app_config("hr"))
    create_domain_permissions(apps.get_app_config("auth"))
    assert made() == ["hr"]
    (permission,) = Permission.objects.filter(codename="view_domain_hr")
    assert permission.name == "Can view the migrations of hr"
    assert permission.content_type == ContentType.objects.get_by_natural_key(
        "domain_migrations", "domain"
    )


def test_core_makes_those_of_all():
    Permission.objects.filter(codename__startswith="view_domain_").delete()
    create_domain_permissions(apps.get_app_config("domain_migrations"))
    assert made() == EVERY


@pytest.mark.parametrize("reachable", [True, False])
def test_a_domain_in_another_database_has_its_own_in_core_s(monkeypatch, caplog, reachable):
    Permission.objects.filter(codename__startswith="view_domain_").delete()
    monkeypatch.setattr(router, "allow_migrate_model", lambda using, model: using == "default")
    if not reachable:

        def table_names() -> list[str]:
            raise OperationalError("it is away")

        monkeypatch.setattr(connection.introspection, "table_names", table_names)
    create_domain_permissions(apps.get_app_config("hr"), using="far")
    create_domain_permissions(apps.get_app_config("auth"), using="far")
    create_domain_permissions(apps.get_app_config("domain_migrations"), using="far")
    assert made() == (["hr"] if reachable else [])
    message = "The permissions to view domains will be created by core's next run: it is away"
    assert caplog.messages == ([] if reachable else [message])


def test_nothing_happens_before_the_models_exist(django_assert_num_queries):
    with django_assert_num_queries(0):
        create_domain_permissions(apps.get_app_config("hr"), apps=Apps())


def test_an_app_costs_one_query_when_nothing_is_missing(django_assert_num_queries):
    with django_assert_num_queries(1):
        create_domain_permissions(apps.get_app_config("hr"))
    with django_assert_num_queries(0):
        create_domain_permissions(apps.get_app_config("auth"))


def test_view_permissions_of_each_user():
    def names(user: object) -> list[str]:
        return sorted(domain.name for domain in visible_domains(user))

    assert names(make_user(is_superuser=True)) == EVERY
    assert names(member("hr", "core")) == ["core", "hr"]
    assert names(make_user(is_staff=True)) == []
    everything = make_user(is_staff=True)
    everything.user_permissions.add(Permission.objects.get(codename="view_domain"))
    assert names(everything) == EVERY
    assert names(member("hr", is_active=False)) == []
