"""The mixin on top of other backends that are derived from Django's."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from django.db import NotSupportedError, connections, models
from django.db.backends.postgresql import base, introspection, operations, schema
from django.test.utils import isolate_apps

from domain_migrations.backends.postgresql.base import DatabaseWrapper, QualifiedNamesMixin
from domain_migrations.backends.postgresql.introspection import QualifiedIntrospectionMixin
from domain_migrations.backends.postgresql.operations import QualifiedOperationsMixin
from domain_migrations.backends.postgresql.schema import QualifiedSchemaEditorMixin
from tests.support.catalog import execute, query


class OtherSchemaEditor(schema.DatabaseSchemaEditor):
    """Changes templates of Django's, as backends do."""

    sql_delete_index = "DROP INDEX IF EXISTS %(name)s RESTRICT"
    sql_delete_fk = (
        "SET CONSTRAINTS %(name)s IMMEDIATE; "
        "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s RESTRICT"
    )


class Wrapped:
    """A template as that of django-pg-zero-downtime-migrations: an object that has the text."""

    def __init__(self, sql: str, idempotent_condition: Any = None) -> None:
        self.sql = sql
        self.idempotent_condition = idempotent_condition

    def __mod__(self, parts: Any) -> Any:
        return self.sql % parts


class WrappingSchemaEditor(schema.DatabaseSchemaEditor):
    sql_delete_index = Wrapped("DROP INDEX %(name)s", Wrapped("to_regclass('%(name)s')"))  # type: ignore[assignment]
    sql_delete_unique = Wrapped(schema.DatabaseSchemaEditor.sql_delete_unique)  # type: ignore[assignment]
    sql_delete_fk = Wrapped(schema.DatabaseSchemaEditor.sql_delete_fk)  # type: ignore[assignment]


class WrappingWrapper(base.DatabaseWrapper):
    SchemaEditorClass = WrappingSchemaEditor


class OtherIntrospection(introspection.DatabaseIntrospection):
    ignored_tables = ["spatial"]

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, Any]:
        """Ask Django and add to its answer."""
        constraints = super().get_constraints(cursor, table_name)
        cursor.execute("SELECT %s", [table_name])
        return {name: {**item, "asked": table_name} for name, item in constraints.items()}


class OtherOperations(operations.DatabaseOperations):
    def max_in_list_size(self) -> int:
        return 77


class OtherWrapper(base.DatabaseWrapper):
    SchemaEditorClass = OtherSchemaEditor
    introspection_class = OtherIntrospection
    ops_class = OtherOperations


BACKENDS = {"own": OtherWrapper, "wrapping": WrappingWrapper}
if find_spec("psqlextra"):  # it does not take Django 6 yet, so it is not installed with it
    BACKENDS["psqlextra"] = import_module("psqlextra.backend.base").DatabaseWrapper
if find_spec("django_zero_downtime_migrations"):
    ZERO = "django_zero_downtime_migrations.backends.postgres.base"
    BACKENDS["zero"] = import_module(ZERO).DatabaseWrapper


@pytest.fixture(params=BACKENDS)
def wrapper(request: pytest.FixtureRequest) -> type[base.DatabaseWrapper]:
    """Another backend's wrapper class."""
    return BACKENDS[request.param]


@pytest.fixture
def combined(
    wrapper: type[base.DatabaseWrapper], empty_schemas: None
) -> Iterator[base.DatabaseWrapper]:
    """Django's default connection, made by the combination."""

    class Combined(QualifiedNamesMixin, wrapper):  # type: ignore[misc, valid-type]
        pass

    previous = connections["default"]
    connections["default"] = Combined(previous.settings_dict, "default")
    yield connections["default"]
    connections["default"].close()
    connections["default"] = previous


def test_parts_of_both_are_kept(
    wrapper: type[base.DatabaseWrapper], combined: base.DatabaseWrapper
) -> None:
    parts = {
        QualifiedIntrospectionMixin: (combined.introspection, wrapper.introspection_class),
        QualifiedOperationsMixin: (combined.ops, wrapper.ops_class),
        QualifiedSchemaEditorMixin: (combined.schema_editor(), wrapper.SchemaEditorClass),
    }
    for mixin, (part, other) in parts.items():
        assert isinstance(part, mixin)
        assert isinstance(part, other)
        assert type(part).__name__ == other.__name__


@isolate_apps("tests")
def test_changes_are_right(combined: base.DatabaseWrapper) -> None:
    class Drug(models.Model):  # noqa: DJ008
        code = models.CharField(max_length=9, unique=True)
        size = models.IntegerField(db_index=True)
        same = models.ForeignKey("self", models.CASCADE)

        class Meta:
            app_label = "tests"
            db_table = '"inventory"."drugs"'

    with combined.schema_editor() as editor:
        editor.create_model(Drug)
    execute("CREATE TABLE public.drugs (size int)")
    names = query("SELECT indexname::text FROM pg_indexes WHERE indexname LIKE 'drugs_size%'")
    execute(f"CREATE INDEX {names[0][0]} ON public.drugs (size)")
    changes: dict[str, models.Field] = {
        "code": models.CharField(max_length=9),
        "size": models.IntegerField(),
        "same": models.BigIntegerField(db_column="same_id"),
    }
    with combined.schema_editor() as editor:
        for name, new in changes.items():
            new.set_attributes_from_name(name)
            new.model = Drug
            editor.alter_field(Drug, Drug._meta.get_field(name), new)
    assert query(
        "SELECT schemaname::text, indexname::text FROM pg_indexes WHERE tablename = 'drugs'"
        " ORDER BY 1"
    ) == [("inventory", "drugs_pkey"), ("public", names[0][0])]
    assert query("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == [(0,)]
    assert combined.introspection.table_names() == ['"inventory"."drugs"', "drugs"]


def test_own_backend__its_behaviour_is_kept(empty_schemas: None) -> None:
    class Combined(QualifiedNamesMixin, OtherWrapper):
        pass

    connection = Combined(connections["default"].settings_dict, "default")
    execute(
        "CREATE SCHEMA inventory; CREATE TABLE inventory.spatial (id int);"
        "CREATE TABLE inventory.drugs (id int PRIMARY KEY)"
    )
    try:
        assert connection.ops.max_in_list_size() == 77
        assert connection.introspection.table_names() == ['"inventory"."drugs"']
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, '"inventory"."drugs"')
        assert constraints["drugs_pkey"]["asked"] == '"inventory"."drugs"'
    finally:
        connection.close()


def test_class_that_brings_its_own_parts() -> None:
    class Introspection(QualifiedIntrospectionMixin, introspection.DatabaseIntrospection):
        pass

    class Combined(QualifiedNamesMixin, base.DatabaseWrapper):
        introspection_class = Introspection

    assert Combined.introspection_class is Introspection
    assert issubclass(Combined.ops_class, QualifiedOperationsMixin)


def test_subclass_of_this_backend_has_its_parts() -> None:
    class Derived(DatabaseWrapper):
        pass

    assert Derived.introspection_class is DatabaseWrapper.introspection_class
    assert Derived.SchemaEditorClass is DatabaseWrapper.SchemaEditorClass


def test_template_that_cannot_be_given_a_schema_is_refused(empty_schemas: None) -> None:
    class Editor(schema.DatabaseSchemaEditor):
        sql_delete_index = object()  # type: ignore[assignment]

    class Wrapper(base.DatabaseWrapper):
        SchemaEditorClass = Editor

    class Combined(QualifiedNamesMixin, Wrapper):
        pass

    connection = Combined(connections["default"].settings_dict, "default")
    model: Any = type("Model", (), {"_meta": type("Meta", (), {"db_table": '"a"."drugs"'})})
    refused = pytest.raises(NotSupportedError, match="is not text, so it cannot be given a")
    with connection.schema_editor(collect_sql=True) as editor, refused:
        editor._delete_index_sql(model, "drugs_x")  # type: ignore[attr-defined]
