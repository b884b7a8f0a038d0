"""Schema changes of qualified tables.

PostgreSQL creates an index or a constraint in its table's schema, but drops it, renames it and
sets it immediate by a name that the search path resolves. Without a schema that name finds
nothing, or the object of the same name in ``public``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import NotSupportedError
from django.db.backends.ddl_references import ForeignKeyName, Statement
from django.db.backends.utils import split_identifier

from .composite_keys import CompositeKeysMixin
from .exact_fields import ExactFieldsMixin
from .names import parse_table_name, quote

if TYPE_CHECKING:
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor
    from django.db.models import Field, Model

    class SchemaEditor(DatabaseSchemaEditor):
        """Methods of Django's class that its stubs leave out."""

        def _create_index_name(
            self, table_name: str, column_names: Sequence[str], suffix: str = ""
        ) -> str: ...
        def _constraint_names(self, *args: Any, **kwargs: Any) -> list[str]: ...
        def _fk_constraint_name(
            self, model: type[Model], field: Field[Any, Any], suffix: str
        ) -> ForeignKeyName: ...
        def _delete_constraint_sql(
            self, template: str, model: type[Model], name: str
        ) -> Statement: ...
        def _delete_index_sql(
            self, model: type[Model], name: str, sql: str | None = None, concurrently: bool = False
        ) -> Statement: ...
        def _rename_index_sql(
            self, model: type[Model], old_name: str, new_name: str
        ) -> Statement: ...
        def _is_collation_deterministic(self, collation_name: str) -> bool | None: ...

else:
    SchemaEditor = object

_RESOLVED_NAME = re.compile(
    r"((?:DROP|ALTER|REINDEX) INDEX (?:CONCURRENTLY )?(?:IF EXISTS )?|SET CONSTRAINTS "
    r"|to_regclass\(')(?=%\((?:old_)?name\)s)"
)
"""The place of an unqualified name in the statement templates of Django and of other backends."""

_WRAPPED_TEXTS = ("sql", "idempotent_condition")
"""The attributes of a template of django-pg-zero-downtime-migrations that have its text."""

_QUOTED = r'(?:"(?:[^"]|"")+"|\w+)'
_LOCAL_NAME = re.compile(
    rf"\A(\s*(?:CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?|CREATE TRIGGER "
    rf"|ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?:{_QUOTED}\.)?{_QUOTED} "
    rf"(?:RENAME (?:CONSTRAINT {_QUOTED} )?TO |(?:ADD|ALTER|DROP|VALIDATE|RENAME) CONSTRAINT "
    rf"(?:IF EXISTS )?)))"
    rf"{_QUOTED}\.(?={_QUOTED})",
    re.IGNORECASE,
)
"""A statement up to a name that PostgreSQL takes without a schema only, and its schema."""

_LONE_QUOTE = re.compile(r'(?<!")((?:"")*)"(?!")')

COLLATION_IS_DETERMINISTIC = """
    SELECT c.collisdeterministic
    FROM pg_catalog.pg_collation c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
    WHERE n.nspname = %s AND c.collname = %s
"""

SCHEMA_EXISTS = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s"


class QualifiedSchemaEditorMixin(CompositeKeysMixin, ExactFieldsMixin, SchemaEditor):
    """A schema editor for tables in schemas."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ensured_schemas: set[str] = set()
        if isinstance(self.sql_delete_column, str):
            # As since Django 6.1: views and generated columns would silently go with the column.
            self.sql_delete_column = self.sql_delete_column.removesuffix(" CASCADE")

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Execute a statement; the name of an index or a constraint loses a schema that it has.

        Packages derive such names from their table's; in the statements that create, add or
        rename something PostgreSQL rejects them, since the schema is the table's anyway.
        """
        if isinstance(getattr(sql, "template", sql), str) and '"."' in str(sql):
            sql = _LOCAL_NAME.sub(r"\1", str(sql), count=1)
        super().execute(sql, params)

    def create_model(self, model: type[Model]) -> None:
        """Create the table, and first its schema if it is missing.

        Tables of apps without migrations (``migrate --run-syncdb``, test databases) have no
        other step that could create it.
        """
        self._ensure_schema(parse_table_name(model._meta.db_table).schema)
        super().create_model(model)

    def add_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        """Add a foreign key in a separate statement if Django would mistake its schema.

        Django sets the constraint immediate in the statement that adds the column, in a schema
        that it finds by splitting the table's name at its quotes. This fails for some names.
        """
        table = model._meta.db_table
        schema = parse_table_name(table).schema
        if schema is None or f'"{split_identifier(table)[0]}"' == quote(schema):
            super().add_field(model, field)
            return
        waiting = len(self.deferred_sql)
        self.sql_create_column_inline_fk = ""
        try:
            super().add_field(model, field)
        finally:
            del self.sql_create_column_inline_fk
        for statement in self.deferred_sql[waiting:]:
            if isinstance(statement, Statement) and statement.template == self.sql_create_fk:
                self.deferred_sql.remove(statement)
                self.execute(statement, None)
                name = f"{quote(schema)}.{statement.parts['name']}"
                self.execute(f"SET CONSTRAINTS {name} IMMEDIATE", None)

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        """Rename the table, move it to another schema, or both.

        Django's method runs the last statement and renames the references in deferred SQL.
        """
        if old_db_table == new_db_table or '"' not in old_db_table + new_db_table:
            super().alter_db_table(model, old_db_table, new_db_table)
            return
        from .table_moves import move_table_sql  # Few processes move a table.

        old, new = parse_table_name(old_db_table), parse_table_name(new_db_table)
        self._ensure_schema(new.schema)
        named = [*model._meta.indexes, *model._meta.constraints]
        with self.connection.cursor() as cursor:
            statements = list(move_table_sql(cursor, old, new, keep={item.name for item in named}))
        if not statements:
            for statement in self.deferred_sql:
                if isinstance(statement, Statement):
                    statement.rename_table_references(old_db_table, new_db_table)
            return
        *first, last = statements
        for sql in first:
            self.execute(sql, None)
        self.sql_rename_table = last.replace("%", "%%")
        try:
            super().alter_db_table(model, old_db_table, new_db_table)
        finally:
            del self.sql_rename_table

    def _ensure_schema(self, schema: str | None) -> None:
        """Create the schema unless it exists.

        ``CREATE SCHEMA IF NOT EXISTS`` requires the CREATE privilege on the database even if the
        schema exists, so the catalog is queried first.
        """
        if schema is None or schema in self._ensured_schemas:
            return
        with self.connection.cursor() as cursor:
            cursor.execute(SCHEMA_EXISTS, [schema])
            missing = cursor.fetchone() is None
        if missing:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}", None)
        self._ensured_schemas.add(schema)

    def _create_index_name(
        self, table_name: str, column_names: Sequence[str], suffix: str = ""
    ) -> str:
        """Derive the name from the table's name without its schema, also if names contain quotes.

        Django's result is not always a valid identifier then: it keeps quotes as they were
        written, and may have split a pair of them.
        """
        table = parse_table_name(table_name).name.replace('"', '""')
        name = super()._create_index_name(table, column_names, suffix)
        return '"{}"'.format(_LONE_QUOTE.sub(r"\1", name)) if '"' in name else name

    def _create_like_index_sql(self, model: type[Model], field: Field[Any, Any]) -> Any:
        """Return the statement for the index that Django adds to text for LIKE, None for none.

        A field that says the type of its column exactly has no index that it does not say.
        """
        if hasattr(field, "database_type"):
            return None
        return super()._create_like_index_sql(model, field)

    def _constraint_names(self, *args: Any, **kwargs: Any) -> list[str]:
        """Quote the names that need it: they come from the catalog, not from the user."""
        names = super()._constraint_names(*args, **kwargs)
        return [quote(name) if '"' in name else name for name in names]

    def _fk_constraint_name(
        self, model: type[Model], field: Field[Any, Any], suffix: str
    ) -> ForeignKeyName:
        """Keep the schema of the referenced table.

        Without it, deferred SQL does not follow that table when it is renamed, and is dropped
        with a table of the same name in ``public``.
        """
        name = super()._fk_constraint_name(model, field, suffix)
        target = field.target_field.model._meta.db_table  # type: ignore[attr-defined]
        return QualifiedForeignKeyName(
            name.table,
            name.columns,
            target,
            name.to_reference.columns,
            name.suffix_template,
            name.create_fk_name,
        )

    def _delete_constraint_sql(self, template: str, model: type[Model], name: str) -> Statement:
        """Qualify the constraint, or the index that implements it.

        A unique constraint with a condition, an expression or included columns is an index.
        """
        return _qualified(super()._delete_constraint_sql(template, model, name), model)

    def _delete_index_sql(
        self, model: type[Model], name: str, sql: str | None = None, concurrently: bool = False
    ) -> Statement:
        """Qualify the index; with `IF EXISTS` a wrong name would be ignored silently."""
        return _qualified(super()._delete_index_sql(model, name, sql, concurrently), model)

    def _rename_index_sql(self, model: type[Model], old_name: str, new_name: str) -> Statement:
        """Qualify the old name; the new name cannot have a schema."""
        return _qualified(super()._rename_index_sql(model, old_name, new_name), model)

    def _is_collation_deterministic(self, collation_name: str) -> bool | None:
        """Look a qualified collation up in its schema."""
        schema, name = parse_table_name(collation_name)
        if schema is None:
            return super()._is_collation_deterministic(collation_name)
        with self.connection.cursor() as cursor:
            cursor.execute(COLLATION_IS_DETERMINISTIC, [schema, name])
            row = cursor.fetchone()
        return bool(row[0]) if row else None


class QualifiedForeignKeyName(ForeignKeyName):
    """A foreign key's name that keeps the schema of the referenced table."""

    def __str__(self) -> str:
        suffix = self.suffix_template % {
            "to_table": parse_table_name(self.to_reference.table).name.replace('"', '""'),
            "to_column": self.to_reference.columns[0],
        }
        return str(self.create_fk_name(self.table, self.columns, suffix))


def _qualified(statement: Statement, model: type[Model]) -> Statement:
    """Prefix the unqualified name in the statement with the schema of the model's table."""
    schema = parse_table_name(model._meta.db_table).schema
    if schema is not None:
        statement.template = _qualified_template(statement.template)
        statement.parts["schema"] = quote(schema)  # type: ignore[assignment]  # any str() will do
    return statement


def _qualified_template(template: Any) -> Any:
    """Return the template with a place for the schema, also if an object holds its text.

    Raises:
        NotSupportedError: the backend has templates of a kind that is not known.
    """
    if template is None:
        return None
    if isinstance(template, str):
        return _RESOLVED_NAME.sub(r"\1%(schema)s.", template)
    if isinstance(template, list):
        return type(template)(map(_qualified_template, template))
    if not hasattr(template, "sql"):
        raise NotSupportedError(
            f"The schema editor's template {template!r} is not text, so it cannot be given a"
            " schema. Use the engine's backend, or one whose templates are strings."
        )
    wrapper = copy.copy(template)
    for attribute in _WRAPPED_TEXTS:
        if hasattr(template, attribute):
            setattr(wrapper, attribute, _qualified_template(getattr(template, attribute)))
    return wrapper
