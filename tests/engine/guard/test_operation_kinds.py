"""The kinds of operations: additive, schema-only and with custom SQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.management import RenameContentType
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    CreateCollation,
    TrigramExtension,
)
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models import F, Func, Q
from django.db.models.functions import Lower

from domain_migrations.engine.guard.operation_kinds import (
    is_additive,
    is_django_internal,
    runs_custom_sql,
)

CHECK = models.CheckConstraint(condition=Q(size__gt=F("least")) & Q(size__in=[1, 2]), name="c")
NUMBER = models.IntegerField()
ODD_CHECK = models.CheckConstraint(condition=Q(size=Func(1, function="hr.f")), name="c")


class OwnField(models.IntegerField):
    pass


class OwnConstraint(models.UniqueConstraint):
    pass


def field(of: Any) -> migrations.AddField:
    return migrations.AddField("drug", "size", of)


def create(**options: Any) -> migrations.CreateModel:
    return migrations.CreateModel("Drug", [("id", models.AutoField(primary_key=True))], options)


def name(operation: Operation) -> str:
    return type(operation).__name__


ADDITIVE = [
    create(),
    create(constraints=[CHECK], indexes=[models.Index(fields=["id"], name="i")]),
    field(models.IntegerField(default=1)),
    field(models.ForeignKey("core.User", models.CASCADE)),
    field(models.ManyToManyField("core.User")),
    migrations.AddConstraint("drug", models.UniqueConstraint(fields=["id"], name="u")),
    migrations.RenameField("drug", "a", "b"),
    AddIndexConcurrently("drug", models.Index(fields=["id"], name="i")),
    migrations.SeparateDatabaseAndState(
        [field(models.IntegerField())], [migrations.RunSQL("SELECT 1")]
    ),
]
SCHEMA_ONLY = [
    create(constraints=[ODD_CHECK]),
    field(OwnField()),
    field(models.IntegerField(db_default=1)),
    field(models.CharField(db_collation="hr.plain")),
    field(models.GeneratedField(expression=F("id"), output_field=NUMBER, db_persist=True)),
    migrations.AddIndex("drug", models.Index(Lower("code"), name="i")),
    migrations.AddIndex("drug", models.Index(fields=["id"], opclasses=["hr.ops"], name="i")),
    migrations.RemoveField("drug", "size"),
    migrations.AlterField("drug", "size", models.IntegerField()),
    migrations.DeleteModel("Drug"),
    migrations.AlterModelTable("drug", '"inventory"."pills"'),
    AddIndexConcurrently("drug", models.Index(Lower("code"), name="i")),
    AddConstraintNotValid("drug", CHECK),
]  # fmt: skip
CUSTOM_SQL = [
    migrations.RunSQL("SELECT 1"),
    migrations.RunPython(migrations.RunPython.noop),
    migrations.SeparateDatabaseAndState([create(), migrations.RunSQL("SELECT 1")]),
    migrations.AddConstraint("drug", OwnConstraint(fields=["id"], name="u")),
    create(constraints=[OwnConstraint(fields=["id"], name="u")]),
    TrigramExtension(),
    CreateCollation("plain", "C"),
    Operation(),
]


@pytest.mark.parametrize("operation", ADDITIVE, ids=name)
def test_additive(operation: Operation) -> None:
    assert is_additive(operation)
    assert not runs_custom_sql(operation)


@pytest.mark.parametrize("operation", SCHEMA_ONLY, ids=name)
def test_schema_only(operation: Operation) -> None:
    assert not is_additive(operation)
    assert not runs_custom_sql(operation)


@pytest.mark.parametrize("operation", CUSTOM_SQL, ids=name)
def test_custom_sql(operation: Operation) -> None:
    assert not is_additive(operation)
    assert runs_custom_sql(operation)


def test_django_internal() -> None:
    rename = RenameContentType("inventory", "drug", "medicine")
    assert is_django_internal(rename)
    assert not runs_custom_sql(rename)
    assert not is_django_internal(migrations.RunPython(migrations.RunPython.noop))
