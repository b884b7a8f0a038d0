"""A type change of a key of core, including the domains' columns that reference it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.fields import AlterField
from django.db.migrations.state import ProjectState

from ..backends.postgresql.names import quote
from ..domains import QualifiedName
from ..engine.catalog.fingerprint import catalog_cursor
from ..engine.catalog.live_tables import CoreReference, read_core_references
from .base import exported

DEFINITIONS = """
SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS w (schema, name, key)
    ON n.nspname = w.schema AND c.relname = w.name AND k.conname = w.key
WHERE k.contype = 'f'
ORDER BY 1, 2, 3
"""

VIEWS = """
SELECT DISTINCT vn.nspname, v.relname, n.nspname, c.relname, a.attname
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
JOIN pg_catalog.pg_class v ON v.oid = w.ev_class
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS w2 (schema, name, part)
    ON n.nspname = w2.schema AND c.relname = w2.name AND a.attname = w2.part
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
  AND v.relkind IN ('v', 'm')
ORDER BY 1, 2, 3, 4, 5
"""


@exported
class AlterReferencedKey(AlterField):
    """``AlterField`` for a key of core that tables of domains refer to.

    Django alters the columns that reference a key only if it has loaded their models, and a run
    of core does not load the domains' models. This operation finds them in the live catalog,
    drops their foreign keys, alters the key and every referencing column, and creates the foreign
    keys again, in one transaction. All these tables are locked, and rewritten if the type requires
    it. A view that reads one of the columns must be dropped before.

    It must be the only operation of its migration.

    Attributes:
        alters_referenced_key: lets the engine recognize the operation.
    """

    alters_referenced_key = True

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Alter the key and the columns that reference it; also used to reverse the operation."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        old: Any = from_state.apps.get_model(app_label, self.model_name)._meta.get_field(self.name)
        new: Any = model._meta.get_field(self.name)
        if old.column != new.column:
            raise ValueError(
                f"{self.name} also changes its column. Rename the column in another migration."
            )
        key = QualifiedName.of(model._meta.db_table), new.column
        references = [
            reference
            for reference in read_core_references(schema_editor.connection)
            if (reference.key_table, reference.key_column) == key
        ]
        _check_views(schema_editor, references)
        constraints = _definitions(schema_editor, references)
        for table, constraint, _ in constraints:
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}", None)
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        kind = new.rel_db_type(schema_editor.connection)
        for table, column in dict.fromkeys(
            (reference.table.db_table, quote(reference.column)) for reference in references
        ):
            schema_editor.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} USING {column}::{kind}",
                None,
            )
        for table, constraint, definition in constraints:
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}", None
            )

    def describe(self) -> str:
        return f"{super().describe()}, and the domains' columns that reference it"


def _definitions(
    schema_editor: BaseDatabaseSchemaEditor, references: Iterable[CoreReference]
) -> list[tuple[str, str, str]]:
    """Return the foreign keys as (quoted table, quoted name, definition)."""
    wanted = sorted({(*reference.table, reference.constraint) for reference in references})
    with catalog_cursor(schema_editor.connection) as cursor:
        cursor.execute(DEFINITIONS, [[row[n] for row in wanted] for n in range(3)])
        return [
            (QualifiedName(schema, table).db_table, quote(name), definition)
            for schema, table, name, definition in cursor.fetchall()
        ]


def _check_views(
    schema_editor: BaseDatabaseSchemaEditor, references: Iterable[CoreReference]
) -> None:
    """Check that no view reads the columns, because PostgreSQL would refuse to alter them.

    Raises:
        ValueError: some views do; the message names them.
    """
    wanted = [(*reference.table, reference.column) for reference in references]
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(VIEWS, [[row[n] for row in wanted] for n in range(3)])
        found = [
            f"{QualifiedName(*row[:2])} reads {QualifiedName(*row[2:4])}.{row[4]}"
            for row in cursor.fetchall()
        ]
    if found:
        raise ValueError(
            f"Views depend on the columns: {', '.join(found)}. Drop them in a migration of their"
            " domain, and create them again after this one."
        )
