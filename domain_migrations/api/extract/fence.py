"""Fences: triggers that refuse every write to a domain's tables, but not those of replication.

Revoked privileges would not stop superusers and owners, as which the ORM often writes, and to
revoke them from the owner of a table breaks foreign keys and inheritance. The setting
``default_transaction_read_only`` does not reach sessions that are open already. A trigger stops
everyone from the next statement on; the workers of a subscription do not run it, because they act
as a replica.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.sessions.connection import fetch_all, fetch_one
from ...engine.sql.query import run_sql
from .sides import Table

FENCE = "domain_migrations_fence"

CREATE_FUNCTION = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $fence$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction', MESSAGE = TG_ARGV[0];
END
$fence$
"""
CREATE_TRIGGER = """
CREATE OR REPLACE TRIGGER {name} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {function}({message})
"""
FENCED = """
SELECT c.relname FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND g.tgname = %s AND g.tgenabled = 'O' ORDER BY 1
"""
FUNCTION_EXISTS = """
SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND p.proname = %s
"""
ALWAYS_TRIGGERS = """
SELECT c.relname, g.tgname, g.tgenabled::text FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT g.tgisinternal AND g.tgenabled IN ('A', 'R')
ORDER BY 1, 2
"""
TRUNCATE_TRIGGERS = """
SELECT c.relname, g.tgname, g.tgenabled::text FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 32 <> 0
ORDER BY 1, 2
"""

Trigger = tuple[str, str, str]
"""Table, trigger and ``tgenabled``."""

MODES = {"A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "O": "ENABLE", "D": "DISABLE"}


def raise_fence(
    connection: BaseDatabaseWrapper, schema: str, tables: Sequence[Table], message: str
) -> None:
    """Refuse writes to the tables, from the end of the transaction on."""
    function = sql.Identifier(schema, FENCE)
    statements = [sql.SQL(CREATE_FUNCTION).format(function=function)]
    statements += [
        sql.SQL(CREATE_TRIGGER).format(
            name=sql.Identifier(FENCE),
            table=table.identifier,
            function=function,
            message=sql.Literal(message),
        )
        for table in tables
    ]
    _execute_together(connection, statements)


def remove_fence(
    connection: BaseDatabaseWrapper, schema: str, tables: Collection[str] | None = None
) -> None:
    """Allow writes again; without a fence, nothing happens.

    Arguments:
        tables: the names of those to open; all of them unless given.
    """
    if fetch_one(connection, FUNCTION_EXISTS, [schema, FENCE]) is None:
        return
    fenced = fenced_tables(connection, schema)
    opened = [name for name in fenced if tables is None or name in tables]
    statements = [
        sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(FENCE), sql.Identifier(schema, name))
        for name in opened
    ]
    if opened == fenced:
        statements.append(sql.SQL("DROP FUNCTION {}()").format(sql.Identifier(schema, FENCE)))
    _execute_together(connection, statements)


def fenced_tables(connection: BaseDatabaseWrapper, schema: str) -> list[str]:
    """Return the names of the tables that refuse writes."""
    return [name for (name,) in fetch_all(connection, FENCED, [schema, FENCE])]


def always_triggers(connection: BaseDatabaseWrapper, schema: str) -> tuple[Trigger, ...]:
    """Return the triggers that would run for replicated rows, too."""
    return tuple(fetch_all(connection, ALWAYS_TRIGGERS, [schema]))


def truncate_triggers(connection: BaseDatabaseWrapper, schema: str) -> tuple[Trigger, ...]:
    """Return the triggers that run when a table is emptied."""
    return tuple(fetch_all(connection, TRUNCATE_TRIGGERS, [schema]))


def set_triggers(
    connection: BaseDatabaseWrapper, schema: str, triggers: Sequence[Trigger], mode: str = ""
) -> None:
    """Give each trigger the mode, or back its own one: ENABLE ALL would make them ordinary.

    Those of partitions have modes of their own, which ONLY keeps.
    """
    statements = [
        sql.SQL("ALTER TABLE ONLY {} {} TRIGGER {}").format(
            sql.Identifier(schema, table),
            sql.SQL(MODES[mode or own_mode]),
            sql.Identifier(trigger),
        )
        for table, trigger, own_mode in triggers
    ]
    _execute_together(connection, statements)


def _execute_together(connection: BaseDatabaseWrapper, statements: Sequence[sql.Composed]) -> None:
    """Execute statements in one round trip: they are a part of the pause."""
    if statements:
        run_sql(connection, sql.SQL("; ").join(statements))
