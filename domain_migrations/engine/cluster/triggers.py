"""The triggers of tables that are distributed: off meanwhile, and as they were afterwards.

Citus makes the triggers of the shards before it copies the rows, so they would fire for each row.
Those of a partitioned table fire in its partitions, where they are changed only with its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ..sql.query import run_sql

TRIGGERS: LiteralString = """
SELECT n.nspname, c.relname, t.tgname, t.tgenabled, ARRAY(
    SELECT r.relname::text
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class r ON r.oid = i.inhrelid
    WHERE i.inhparent = c.oid AND c.relkind = 'p' AND r.relnamespace = c.relnamespace)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND n.nspname = ANY(%(schemas)s)
ORDER BY 1, 2, 3
"""

ENABLED_AS: dict[str, LiteralString] = {
    "O": "ENABLE",
    "A": "ENABLE ALWAYS",
    "R": "ENABLE REPLICA",
}
"""``pg_trigger.tgenabled`` → how a trigger gets into that state again."""


class TableTrigger(NamedTuple):
    """A trigger of a table, in its state: ``pg_trigger.tgenabled``."""

    table: QualifiedName
    name: str
    state: str


def enabled_triggers(
    connection: BaseDatabaseWrapper, tables: Collection[QualifiedName]
) -> list[TableTrigger]:
    """Return the triggers of the tables but those that are disabled already.

    Those of a partitioned table are among them if one of its partitions is among the tables.
    """
    [rows] = run_sql(connection, TRIGGERS, {"schemas": sorted({table.schema for table in tables})})
    found = [
        TableTrigger(QualifiedName(schema, table), name, state)
        for schema, table, name, state, partitions in rows
        if any(QualifiedName(schema, each) in tables for each in (table, *partitions))
    ]
    return [each for each in found if each.state in ENABLED_AS]


def disable_statements(triggers: Iterable[TableTrigger]) -> Iterator[sql.Composed]:
    """Yield the statements that disable triggers."""
    return (_statement(trigger, "DISABLE") for trigger in triggers)


def restore_statements(triggers: Iterable[TableTrigger]) -> Iterator[sql.Composed]:
    """Yield the statements that give triggers their states again."""
    return (_statement(trigger, ENABLED_AS[trigger.state]) for trigger in triggers)


def _statement(trigger: TableTrigger, word: LiteralString) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(
        sql.Identifier(*trigger.table), sql.SQL(word), sql.Identifier(trigger.name)
    )
