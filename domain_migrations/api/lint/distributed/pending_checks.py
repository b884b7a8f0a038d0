"""The rule on rows whose foreign keys are still to be checked when their table is changed."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.migrations.operations.special import RunPython

from ....domains import QualifiedName
from ....engine.guard.operation_kinds import database_operations
from ....engine.sql.alterations import alterations
from ....engine.sql.words import Words
from ..script import LintFinding, MigrationScript
from ..statement_effects import effects
from .statement_texts import row_changes

DATA_THEN_DDL = "citus-data-then-ddl"

TWO_MIGRATIONS = (
    "Write two migrations: the rows in one, the table in the other. SET CONSTRAINTS ALL IMMEDIATE"
    " between them will do, too."
)


def data_then_ddl(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield changes of a table whose foreign keys the same transaction has yet to check.

    ``SET CONSTRAINTS ALL IMMEDIATE`` checks them earlier.
    """
    if not script.migration.atomic:
        return
    changed: set[QualifiedName] = set()
    python = _python_operations(script)
    for statement in script.statements:
        if Words.of(statement.sql).take("set", "constraints", "all", "immediate"):
            changed.clear()
            python = []
        for effect in effects(statement.sql):
            table = effect.relation
            if table in changed:
                text = f"{table} has rows whose foreign keys are checked at the end: Citus refuses"
                text += " to change the table until then (“pending trigger events”)."
                yield script.finding(DATA_THEN_DDL, text, TWO_MIGRATIONS, statement)
                changed.discard(table)
            elif (
                any(number < statement.operation for number in python)
                and table not in statement.new
                and _has_keys(script, table)
            ):
                text = f"If Python code before it changes rows of {table}, Citus refuses to"
                text += " change the table until their foreign keys are checked."
                yield script.finding(DATA_THEN_DDL, text, TWO_MIGRATIONS, statement, "warning")
                python = []
        for kind, table, names in row_changes(Words.of(statement.sql)):
            if _leaves_checks(script, kind, table, names):
                changed.add(table)


def _python_operations(script: MigrationScript) -> list[int]:
    return [
        number
        for number, operation in enumerate(script.migration.operations, start=1)
        for inner in database_operations([operation])
        if isinstance(inner, RunPython) and inner.code is not RunPython.noop
    ]


def _has_keys(script: MigrationScript, table: QualifiedName) -> bool:
    return any(table in (key.table, key.target) for key in script.existing.keys)


def _leaves_checks(
    script: MigrationScript, kind: str, table: QualifiedName, names: frozenset[str]
) -> bool:
    """Return whether a change of rows leaves deferred keys to be checked."""
    added = [
        (one.table, column, one.target)
        for statement in script.statements
        for one in alterations(statement.sql)
        if one.kind == "add key"
        for column in one.columns
    ]
    keys = [*((key.table, key.column, key.target) for key in script.existing.keys), *added]
    own = {column for owner, column, _ in keys if owner == table}
    is_target = any(target == table for _, _, target in keys)
    if kind == "insert":
        return bool(own)
    if kind == "delete":
        return is_target
    targets = {key.target_column for key in script.existing.keys if key.target == table}
    return not names.isdisjoint(own | targets)
