"""The tables, rows and columns that reverting migrations drops."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython
from django.db.migrations.operations.base import Operation

from ...domains import QualifiedName
from ..cluster.shards import measure_shards, read_placements
from ..messages import shortened
from ..sources.files import MigrationKey
from ..sources.transfer_halves import half_in
from ..sql.alterations import alterations
from ..sql.query import run_sql
from .dry_run.plan_preview import preview
from .loader import DomainLoader, Plan
from .results import Reporter

ESTIMATED_ROWS = """
SELECT n.nspname, c.relname, (
    SELECT CASE WHEN bool_or(known) THEN sum(rows)::bigint END
    FROM pg_class part CROSS JOIN LATERAL (VALUES (
        greatest(part.reltuples, pg_stat_get_live_tuples(part.oid), 0),
        part.reltuples >= 0 OR pg_stat_get_live_tuples(part.oid) > 0
            OR pg_relation_size(part.oid) = 0
    )) AS estimate (rows, known)
    WHERE part.relkind = 'r' AND (
        part.oid = c.oid OR part.oid IN (SELECT relid FROM pg_partition_tree(c.oid))
    )
)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
    AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::name[], %(names)s::name[]))
"""
"""Table → rows by the latest ANALYZE or by the statistics, NULL if neither has counted them."""


def confirm_reverts(
    reporter: Reporter, connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan
) -> None:
    """Let the reporter confirm what the plan reverts, if it reverts anything."""
    reverted: Plan = [(migration, True) for migration, backwards in plan if backwards]
    if reverted:
        reporter.confirm_revert(describe_losses(connection, loader, reverted))


def describe_losses(connection: BaseDatabaseWrapper, loader: DomainLoader, reverted: Plan) -> str:
    """Return a sentence about the tables and columns that reverting migrations drops.

    The SQL is collected, not run. Migrations that run Python, or whose SQL is not known before
    they run, are named.
    """
    steps = preview(connection, loader, reverted)
    changes = [change for step in steps for text in step.sql for change in alterations(text)]
    dropped = [change.table for change in changes if change.kind == "drop table"]
    moved = _moved_tables(reverted)
    tables = _with_rows(connection, [moved.get(table, table) for table in dropped])
    columns = [
        f"{change.table}.{change.name}"
        for change in changes
        if change.kind == "drop column" and change.table not in dropped
    ]
    unread = [
        step.key
        for step, (migration, _) in zip(steps, reverted, strict=True)
        if any(text.startswith("-- ") for text in step.sql) or _runs_python(migration.operations)
    ]
    drops = []
    if tables:
        number = sum(filter(None, tables.values()))
        rows = f"an estimated {number:,} {'row' if number == 1 else 'rows'}"
        if None in tables.values():
            rows = "an unknown number of rows"
        drops.append(f"{_counted(tables, 'table')} with {rows} ({shortened(tables)})")
    if columns:
        drops.append(f"{_counted(columns, 'column')} ({shortened(columns)})")
    text = f"This reverts {_counted(_with_partners(reverted), 'migration')}"
    text += f" and drops {' and '.join(drops)}." if drops else "."
    if unread:
        text += f" What else {shortened(unread)} does is known only when it runs."
    return text


def _with_partners(reverted: Plan) -> set[MigrationKey]:
    """Return what is reverted: in transfers, the other halves, too."""
    halves = [half for migration, _ in reverted if (half := half_in(migration)) is not None]
    keys = {MigrationKey.of(migration) for migration, _ in reverted}
    return keys | {half.partner for half in halves}


def _moved_tables(reverted: Plan) -> dict[QualifiedName, QualifiedName]:
    """Return where tables are now that return from another domain before they are dropped."""
    operations: list[Any] = [
        migration.operations[0] for migration, _ in reverted if half_in(migration) is not None
    ]
    return {
        QualifiedName.of(old): QualifiedName.of(new)
        for operation in operations
        for old, new in operation.tables.items()
    }


def _counted(items: Collection[object], noun: str) -> str:
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")


def _runs_python(operations: Iterable[Operation]) -> bool:
    return any(
        operation.reverse_code is not RunPython.noop
        if isinstance(operation, RunPython)
        else _runs_python(getattr(operation, "database_operations", ()))
        for operation in operations
    )


def _with_rows(
    connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]
) -> dict[QualifiedName, int | None]:
    """Return the tables that exist, with the estimated numbers of their rows."""
    names = list(dict.fromkeys(tables))
    [rows] = run_sql(
        connection,
        ESTIMATED_ROWS,
        {"schemas": [name.schema for name in names], "names": [name.name for name in names]},
    )
    found = {QualifiedName(schema, name): count for schema, name, count in rows}
    # Of a distributed table, the coordinator counts a shell without rows.
    placements = read_placements(connection, {name.schema for name in found})
    shards = measure_shards(connection, [each for each in placements if each.table in found])
    found.update({name: measured.rows for name, measured in shards.items()})
    return {name: found[name] for name in names if name in found}
