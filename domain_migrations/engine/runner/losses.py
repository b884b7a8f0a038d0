"""The tables, rows and columns that reverting migrations drops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython
from django.db.migrations.operations.base import Operation

from ...domains import QualifiedName
from ..messages import shortened
from ..sources.files import MigrationKey
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


@dataclass(frozen=True)
class Losses:
    """What is lost when migrations are reverted.

    Attributes:
        migrations: those that are reverted.
        tables: table → estimated number of its rows; None where nothing has counted them.
        columns: ``schema.table.column``, of tables that stay.
        unread: the migrations that run Python, or whose SQL is not known before they run.
    """

    migrations: tuple[MigrationKey, ...]
    tables: dict[QualifiedName, int | None]
    columns: tuple[str, ...]
    unread: tuple[MigrationKey, ...]

    def __str__(self) -> str:
        text = f"This reverts {_counted(len(self.migrations), 'migration')}"
        drops = []
        if self.tables:
            rows = sum(filter(None, self.tables.values()))
            some = "an unknown number of" if None in self.tables.values() else "an estimated"
            tables = _counted(len(self.tables), "table")
            count = "" if None in self.tables.values() else f" {rows:,}"
            drops.append(f"{tables} with {some}{count} rows ({shortened(self.tables)})")
        if self.columns:
            columns = _counted(len(self.columns), "column")
            drops.append(f"{columns} ({shortened(self.columns)})")
        text += f" and drops {' and '.join(drops)}." if drops else "."
        if self.unread:
            text += f" What else {shortened(self.unread)} does is known only when it runs."
        return text


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def confirm_reverts(
    reporter: Reporter, connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan
) -> None:
    """Let the reporter confirm what the plan reverts, if it reverts anything."""
    losses = revert_losses(connection, loader, plan)
    if losses is not None:
        reporter.confirm_revert(str(losses))


def revert_losses(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan
) -> Losses | None:
    """Return what the plan's reverted migrations drop; None if it reverts nothing.

    The SQL of the plan is collected, not run.
    """
    backwards = [(migration, True) for migration, is_backwards in plan if is_backwards]
    if not backwards:
        return None
    steps = preview(connection, loader, backwards)
    changes = [change for step in steps for text in step.sql for change in alterations(text)]
    tables = [change.table for change in changes if change.kind == "drop table"]
    unread = [
        step.key
        for step, (migration, _) in zip(steps, backwards, strict=True)
        if any(text.startswith("-- ") for text in step.sql) or _runs_python(migration.operations)
    ]
    return Losses(
        migrations=tuple(step.key for step in steps),
        tables=_with_rows(connection, tables),
        columns=tuple(
            f"{change.table}.{change.name}"
            for change in changes
            if change.kind == "drop column" and change.table not in tables
        ),
        unread=tuple(unread),
    )


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
    return {name: found[name] for name in names if name in found}
