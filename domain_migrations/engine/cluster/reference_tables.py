"""Core's tables as reference tables, of which every node has a copy.

A foreign key of a distributed schema may point at reference tables only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import LiteralString

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

from ...domains import CORE, CORE_SCHEMA, QualifiedName, get_domain
from ..messages import counted
from ..sessions.connection import execute, settings_sql
from ..sql.query import run_sql
from .local_rows import removal_statement, tables_with_local_rows
from .toast_options import toast_statements
from .transaction_settings import SETTINGS
from .triggers import TableTrigger, disable_statements, enabled_triggers, restore_statements

LOCAL_TABLES: LiteralString = """
SELECT c.oid, n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = c.oid
WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relispartition
    AND p.repmodel IS DISTINCT FROM 't'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""
"""The tables of a schema that are no reference tables; Citus may know a local one, too."""

UNFIT_TABLES: LiteralString = """
SELECT n.nspname, c.relname, c.relkind = 'p'
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = c.oid
WHERE n.nspname = %(schema)s AND NOT c.relispartition AND p.repmodel IS DISTINCT FROM 't'
    AND (c.relkind = 'p' OR c.relkind = 'r' AND c.relpersistence = 'u')
"""
"""Citus refuses partitioned tables; the copy of an unlogged one is empty after a node's crash."""

FOREIGN_KEYS: LiteralString = """
SELECT n.nspname, c.relname, fn.nspname, fc.relname
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class fc ON fc.oid = o.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
WHERE o.contype = 'f' AND n.nspname = %(schema)s AND c.oid <> fc.oid
ORDER BY 1, 2, 3, 4
"""

CREATE = sql.SQL("SELECT create_reference_table({})")
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s || ' reference tables', 0))"
"""Runs of two domains, side by side, would both find the same tables local."""

ForeignKeys = Collection[tuple[QualifiedName, QualifiedName]]
"""The table of each, and the table that it points at."""


def local_core_tables(connection: BaseDatabaseWrapper) -> dict[int, QualifiedName]:
    """Return oid → table, of the tables of core's schema that are not reference tables."""
    [rows] = run_sql(connection, LOCAL_TABLES, {"schema": CORE_SCHEMA})
    return {oid: QualifiedName(*name) for oid, *name in rows}


def unfit_core_tables(connection: BaseDatabaseWrapper) -> dict[QualifiedName, bool]:
    """Return the partitioned and unlogged tables of core: table → whether it is partitioned."""
    [rows] = run_sql(connection, UNFIT_TABLES, {"schema": CORE_SCHEMA})
    return {QualifiedName(*name): is_partitioned for *name, is_partitioned in rows}


def tables_for_every_node(local: Iterable[QualifiedName]) -> frozenset[QualifiedName]:
    """Return those of core's tables that a domain may refer to.

    The engine's own are read and written on the coordinator only, and sessions with each request:
    nothing refers to them.
    """
    return frozenset(local) - frozenset(get_domain(CORE).engine_tables) - session_tables()


def session_tables() -> frozenset[QualifiedName]:
    """Return the tables of core's models that keep the sessions of users."""
    from django.contrib.sessions.base_session import AbstractBaseSession

    return frozenset(
        QualifiedName.of(model._meta.db_table)
        for model in _core_models()
        if issubclass(model, AbstractBaseSession)
    )


def model_tables() -> frozenset[QualifiedName]:
    """Return the tables of core's models, many-to-many tables included."""
    return frozenset(QualifiedName.of(model._meta.db_table) for model in _core_models())


def _core_models() -> Iterator[type[Model]]:
    for label in get_domain(CORE).app_labels:
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                yield model


def create_missing_reference_tables(
    connection: BaseDatabaseWrapper, report: Callable[[str], None] = lambda message: None
) -> tuple[QualifiedName, ...]:
    """Make core's tables reference tables, in the open transaction, unless they are already.

    These are the tables of models, and what their foreign keys point at.

    Arguments:
        report: called with a sentence before the tables are locked, if there are any.
    """
    execute(connection, ONE_AT_A_TIME, [CORE_SCHEMA])
    local, keys = {*local_core_tables(connection).values()}, foreign_keys(connection)
    wanted = tables_for_every_node(closure(model_tables() & local, keys) & local)
    if wanted:
        report(
            "Core's tables are copied to every node, and locked meanwhile:"
            f" {counted(len(wanted), 'table')}."
        )
    return create_reference_tables(connection, wanted, keys)


def create_reference_tables(
    connection: BaseDatabaseWrapper, tables: Collection[QualifiedName], keys: ForeignKeys
) -> tuple[QualifiedName, ...]:
    """Make local tables of core reference tables, in the open transaction; return their order."""
    ordered = in_foreign_key_order(tables, keys)
    if ordered:
        # Without them, the identities of tables that others refer to would start again.
        execute(connection, settings_sql(SETTINGS, local=True))
        triggers = enabled_triggers(connection, ordered)
        # Not through Django's cursor, on which migrations may call no functions of Citus.
        for statement in reference_table_statements(ordered, triggers):
            run_sql(connection, statement)
        for statement in toast_statements(connection, ordered):
            run_sql(connection, statement)
        # Those of tables that a local domain refers to stay, until that is distributed, too.
        for table in tables_with_local_rows(connection, [CORE_SCHEMA]):
            if table in ordered:
                run_sql(connection, removal_statement(table))
    return tuple(ordered)


def foreign_keys(connection: BaseDatabaseWrapper) -> ForeignKeys:
    """Return the foreign keys of core's tables to other tables."""
    [rows] = run_sql(connection, FOREIGN_KEYS, {"schema": CORE_SCHEMA})
    return [(QualifiedName(*row[:2]), QualifiedName(*row[2:])) for row in rows]


def closure(tables: Collection[QualifiedName], keys: ForeignKeys) -> frozenset[QualifiedName]:
    """Return the tables, and all that their foreign keys point at, however far."""
    found: set[QualifiedName] = set()
    waiting = set(tables)
    while waiting:
        found |= waiting
        waiting = {target for table, target in keys if table in waiting} - found
    return frozenset(found)


def in_foreign_key_order(
    tables: Collection[QualifiedName], keys: ForeignKeys
) -> list[QualifiedName]:
    """Return the tables, each after those that its foreign keys point at, if there is no circle."""
    targets: dict[QualifiedName, list[QualifiedName]] = {table: [] for table in sorted(tables)}
    for table, target in sorted(keys):
        if table in targets and target in targets:
            targets[table].append(target)
    ordered: dict[QualifiedName, None] = {}
    visited: set[QualifiedName] = set()
    for first in targets:
        stack = [(first, False)]
        while stack:
            table, is_left = stack.pop()
            if is_left:
                ordered.setdefault(table)
            elif table not in visited:
                visited.add(table)
                stack.append((table, True))
                stack += [(target, False) for target in reversed(targets[table])]
    return list(ordered)


def reference_table_statements(
    ordered: Sequence[QualifiedName], triggers: Collection[TableTrigger]
) -> Iterator[sql.Composed]:
    """Yield the statements that make tables reference tables, their triggers as they are now.

    Citus creates the triggers of the copies before it copies the rows: they would fire for each.
    """
    yield from disable_statements(triggers)
    for table in ordered:
        yield CREATE.format(table.db_table)
    yield from restore_statements(triggers)
