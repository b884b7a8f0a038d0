"""The router, which refuses relations between objects of two domains."""

# ruff: noqa: DJ008 (models that a test makes are never shown)
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.contenttypes.models import ContentType
from django.db import models, router
from django.test import RequestFactory
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject

from domain_migrations.router import DomainRouter
from finance.models import Account
from hr.models import Employee, Position
from inventory.models import Company, Drug
from tests.support.catalog import execute, query

User = get_user_model()


@pytest.fixture
def crossing() -> Iterator[SimpleNamespace]:
    """Models with every relation that the checks would refuse."""
    with isolate_apps("inventory", "hr", "core"):

        class Nurse(models.Model):
            class Meta:
                app_label = "hr"
                db_table = '"hr"."nurses"'

        class Ward(models.Model):
            nurse = models.ForeignKey(Nurse, models.CASCADE, null=True)
            head = models.OneToOneField(Nurse, models.CASCADE, null=True, related_name="heads")
            nurses = models.ManyToManyField(Nurse, related_name="wards")

            class Meta:
                app_label = "inventory"
                db_table = '"inventory"."wards"'

        class Bed(models.Model):
            ward = models.ForeignKey(Ward, models.CASCADE)

            class Meta:
                app_label = "inventory"
                db_table = '"inventory"."beds"'

        yield SimpleNamespace(Nurse=Nurse, Ward=Ward, Bed=Bed)


def test_allow_relation__across() -> None:
    drug, employee = Drug(), Employee()

    assert DomainRouter().allow_relation(drug, employee) is False
    assert DomainRouter().allow_relation(employee, drug) is False
    assert DomainRouter().allow_relation(Account(), drug) is False
    assert router.allow_relation(drug, employee) is False


def test_allow_relation__own() -> None:
    assert DomainRouter().allow_relation(Drug(), Company()) is None
    assert DomainRouter().allow_relation(Employee(), Position()) is None
    assert router.allow_relation(Drug(), Company()) is True


@pytest.mark.parametrize("shared", [User(), ContentType()], ids=["core", "undeclared"])
def test_allow_relation__core(shared: models.Model) -> None:
    """Both ways: an assignment asks for (value, instance), a reverse one the other way round."""
    assert DomainRouter().allow_relation(Drug(), shared) is None
    assert DomainRouter().allow_relation(shared, Drug()) is None
    assert DomainRouter().allow_relation(shared, User()) is None
    assert router.allow_relation(shared, Drug()) is True


def test_allow_relation__leaves_the_rest_to_others() -> None:
    """Objects of two databases are for Django, or another router, to judge."""
    drug, company = Drug(), Company()
    drug._state.db, company._state.db = "default", "archive"

    assert DomainRouter().allow_relation(drug, company) is None
    assert router.allow_relation(drug, company) is False


def test_allow_relation__lazy() -> None:
    user = SimpleLazyObject(User)
    employee = SimpleLazyObject(Employee)

    assert DomainRouter().allow_relation(user, Drug()) is None
    assert DomainRouter().allow_relation(employee, Drug()) is False
    assert DomainRouter().allow_relation(Drug(), employee) is False


def test_allow_relation__user_of_a_request(rf: RequestFactory) -> None:
    """It is assigned while it is lazy still."""
    request: Any = rf.get("/")
    request.session = {}
    AuthenticationMiddleware(lambda request: None).process_request(request)
    assert type(request.user) is SimpleLazyObject
    request._cached_user = User(username="somchai")
    drug = Drug(created_by=request.user)
    assert drug.created_by.username == "somchai"


def test_allow_relation__inherited() -> None:
    """The class of the object decides, whoever's its bases are; a proxy is its app's."""
    with isolate_apps("inventory", "hr"):

        class Temp(Employee):
            class Meta:
                app_label = "hr"
                proxy = True

    assert DomainRouter().allow_relation(Temp(), Position()) is None
    assert DomainRouter().allow_relation(Temp(), Drug()) is False


def test_assignment__foreign_key(crossing: SimpleNamespace) -> None:
    ward = crossing.Ward()

    with pytest.raises(ValueError, match="the current database router prevents this relation"):
        ward.nurse = crossing.Nurse()
    with pytest.raises(ValueError, match="the current database router prevents this relation"):
        crossing.Ward(nurse=crossing.Nurse())
    assert ward.nurse_id is None
    assert ward.nurse is None


def test_assignment__one_to_one(crossing: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="the current database router prevents this relation"):
        crossing.Ward().head = crossing.Nurse()
    with pytest.raises(ValueError, match="the current database router prevents this relation"):
        crossing.Nurse(pk=1).heads = crossing.Ward()


def test_assignment__lazy(crossing: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="the current database router prevents this relation"):
        crossing.Ward().nurse = SimpleLazyObject(crossing.Nurse)


def test_assignment__none_and_own(crossing: SimpleNamespace) -> None:
    ward = crossing.Ward(nurse=None)

    assert crossing.Bed(ward=ward).ward is ward


def test_assignment__many_to_many(crossing: SimpleNamespace, scratch_database: str) -> None:
    execute("CREATE SCHEMA inventory")
    for schema in ("inventory", "public"):
        execute(f"CREATE TABLE {schema}.wards_nurses (id serial, ward_id bigint, nurse_id bigint)")
        execute(f"INSERT INTO {schema}.wards_nurses (ward_id, nurse_id) VALUES (7, 7)")

    with pytest.raises(ValueError, match=r'Cannot add "<Nurse: .*>"'):
        crossing.Ward(pk=1).nurses.add(crossing.Nurse(pk=1))
    with pytest.raises(ValueError, match=r'Cannot add "<Ward: .*>"'):
        crossing.Nurse(pk=1).wards.add(crossing.Ward(pk=1))

    for schema in ("inventory", "public"):
        assert query(f"SELECT ward_id, nurse_id FROM {schema}.wards_nurses") == [(7, 7)]


def test_migrations_are_left_alone() -> None:
    """Django records a migration that a router keeps from running as applied."""
    assert not hasattr(DomainRouter(), "allow_migrate")
    for label in ("inventory", "hr", "core", "auth", "unheard_of"):
        assert router.allow_migrate("default", label) is True
    assert router.allow_migrate_model("default", Drug) is True


def test_databases_are_left_alone() -> None:
    assert not hasattr(DomainRouter(), "db_for_read")
    assert not hasattr(DomainRouter(), "db_for_write")
    assert router.db_for_read(Drug) == "default"
    assert router.db_for_write(Drug) == "default"
    assert router.db_for_write(Drug, instance=SimpleNamespace(_state=SimpleNamespace(db="x"))) == (
        "x"
    )
