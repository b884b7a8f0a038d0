"""Rules beyond Squawk's: on reverse operations, Python and core's tables, and ``lint_ignore``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.special import RunPython, RunSQL

from ...domains import CORE, Domain, QualifiedName, get_domain
from ...engine.guard.operation_kinds import database_operations
from ...engine.sources.transfer_halves import half_in
from ...engine.sql.alterations import alterations
from . import blocking, transactions
from .distributed.distributed_rules import IDS as DISTRIBUTED
from .script import Level, LintFinding, MigrationScript, Statement
from .squawk import FOREIGN_KEY, Squawk
from .statement_effects import changed_relation

MISSING_REVERSE = "missing-reverse"
DATA_WITH_DDL = "data-with-ddl"
CORE_FOREIGN_KEY = "core-foreign-key-not-valid"
REQUIRED_COLUMN = "required-column-without-default"
UNKNOWN_SQL = "unknown-sql"
IGNORE_WITHOUT_REASON = "ignore-without-reason"
IGNORE_OF_UNKNOWN_RULE = "ignore-of-unknown-rule"
UNUSED_IGNORE = "unused-ignore"

NAME = r'(?:"(?:[^"]|"")+"|\w+)'
TABLE = rf"({NAME}(?:\s*\.\s*{NAME})?)"
ALTER = re.compile(rf"\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{TABLE}", re.I)
ADD_REQUIRED = re.compile(
    rf"{ALTER.pattern}\s+ADD\s+COLUMN\s+({NAME})(?=\s)(?=.*\bNOT\s+NULL\b)", re.I | re.S
)
DEFAULT_DROPPED = re.compile(rf"\bALTER\s+COLUMN\s+({NAME})\s+DROP\s+DEFAULT\b", re.I)
DEFAULT_GIVEN = re.compile(
    rf"\b(?:ADD|ALTER)\s+COLUMN\s+({NAME})\s+(?:SET\s+DEFAULT\b|.*?\bDEFAULT\b)", re.I | re.S
)
DDL = re.compile(r"\s*(?:CREATE|ALTER|DROP)\b", re.I)
SPLIT = "Change the rows in a migration of its own, before or after this one."
DATA = re.compile(
    r"\s*(?:WITH\b.*?)?\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|COPY|TRUNCATE)\b",
    re.I | re.S,
)
DATA_BEGINS = re.compile(r"\s*(?:WITH|INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE)\b", re.I)


def missing_reverse(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the operations that cannot be reversed."""
    accept = (
        f" Then run: manage.py repair_domain {script.domain.name} --accept-checksum"
        f" {script.key.name}"
    )
    for number, operation in _numbered_operations(script):
        if operation.reversible:
            continue
        argument = {RunPython: "reverse_code", RunSQL: "reverse_sql"}.get(type(operation))
        name = type(operation).__name__
        yield script.finding(
            MISSING_REVERSE,
            f"Operation {number}, {name}, is irreversible: the migration cannot be unapplied.",
            (
                f"Give it {argument}; {name}.noop where there is nothing to reverse."
                if argument
                else "Write its reverse, or split it off into a migration of its own."
            )
            + (accept if script.existing.is_applied else ""),
            Statement("", number),
        )


def data_with_ddl(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the changes of rows that share a transaction with a change of the schema.

    The lock on an existing table is held until the rows are changed, which is an error. Nobody
    uses tables that the migration creates; a row that cannot be filled still rolls it all back.
    A transfer renames the one row of the content type, which has to change with the table.
    """
    if half_in(script.migration) is not None:
        return
    if not script.migration.atomic or not any(DDL.match(s.sql) for s in script.statements):
        return
    changed = [name for s in script.statements if (name := _changed_by_ddl(s)) is not None]
    what = "in the transaction that changes the schema"
    if changed:
        what = f"and the lock on {changed[0]} is held until they are done"
    level: Level = "error" if changed else "warning"
    for number, operation in _numbered_operations(script):
        if isinstance(operation, RunPython) and operation.code is not RunPython.noop:
            message = f"Operation {number} changes rows by Python, {what}."
            yield script.finding(DATA_WITH_DDL, message, SPLIT, Statement("", number), level)
    for statement in script.statements:
        if DATA_BEGINS.match(statement.sql) and DATA.match(statement.sql):
            message = f"Operation {statement.operation} changes rows, {what}."
            yield script.finding(DATA_WITH_DDL, message, SPLIT, statement, level)


def core_foreign_key(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the foreign keys from existing tables to core that are validated immediately."""
    for statement in script.statements:
        target = core_target(statement.sql, script.domain)
        table = changed_relation(statement.sql, statement.new)
        if target and table:
            yield script.finding(
                CORE_FOREIGN_KEY,
                f"A foreign key to {target} of core reads all of {table} while nobody can write to"
                f" {target}.",
                FOREIGN_KEY,
                statement,
            )


def required_column(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the required columns whose default is dropped as soon as they are added.

    Django adds a field this way when only Python knows its default.
    """
    dropped = _columns(DEFAULT_DROPPED, script.statements)
    for statement in script.statements:
        added = ADD_REQUIRED.match(statement.sql)
        if added is None or changed_relation(statement.sql, statement.new) is None:
            continue
        name = f"{_plain(added[1])}.{_plain(added[2])}"
        if name in dropped:
            yield script.finding(
                REQUIRED_COLUMN,
                f"{name} is required and keeps no default in the database: running code that does"
                " not know it cannot add rows.",
                "Give the field a db_default, or null=True until the old code is gone.",
                statement,
            )


def unknown_sql(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield that the database would have to be read, or written, to know all of the SQL."""
    if script.incomplete_reason:
        yield script.finding(
            UNKNOWN_SQL,
            f"Not all of its SQL is known before it runs: {script.incomplete_reason}",
            "Lint it on a database where the migrations before it are applied.",
            level="warning",
        )


def drops_own_default(statement: Statement, script: MigrationScript) -> bool:
    """Return whether a statement drops a default that the same migration has set."""
    given = _columns(DEFAULT_GIVEN, script.statements)
    return not given.isdisjoint(_columns(DEFAULT_DROPPED, [statement]))


def only_virtual(sql: str) -> bool:
    """Return whether the new columns of a statement are computed when they are read."""
    added = [change.action for change in blocking.column_changes(sql) if change.is_new]
    return bool(added) and all(action.has("virtual") for action in added)


def core_target(sql: str, domain: Domain) -> str | None:
    """Return the core table that a foreign key, validated immediately, references."""
    if domain.is_core:
        return None
    core = get_domain(CORE).schema
    keys = (one for one in alterations(sql) if one.kind == "add key" and not one.not_valid)
    return next((str(key.target) for key in keys if key.target and key.target.schema == core), None)


def _changed_by_ddl(statement: Statement) -> QualifiedName | None:
    """Return the existing relation that a statement changes, other than its rows."""
    return changed_relation(statement.sql, statement.new) if DDL.match(statement.sql) else None


def _table(found: re.Match[str] | None) -> str | None:
    return _plain(found[1]) if found else None


def _columns(pattern: re.Pattern[str], statements: Iterable[Statement]) -> set[str]:
    """Return the columns, with their tables, that the pattern finds in statements on tables."""
    return {
        f"{table}.{_plain(found[1])}"
        for statement in statements
        if (table := _table(ALTER.match(statement.sql)))
        for found in pattern.finditer(statement.sql)
    }


def _plain(name: str) -> str:
    parts = re.findall(NAME, name)
    return ".".join(
        part[1:-1].replace('""', '"') if part[0] == '"' else part.lower() for part in parts
    )


def _numbered_operations(script: MigrationScript) -> Iterator[tuple[int, Operation]]:
    for number, operation in enumerate(script.migration.operations, start=1):
        for inner in database_operations([operation]):
            yield number, inner


RULES: dict[str, Callable[[MigrationScript], Iterator[LintFinding]]] = {
    MISSING_REVERSE: missing_reverse,
    DATA_WITH_DDL: data_with_ddl,
    CORE_FOREIGN_KEY: core_foreign_key,
    REQUIRED_COLUMN: required_column,
    UNKNOWN_SQL: unknown_sql,
    transactions.REFUSED_IN_TRANSACTION: transactions.refused,
    transactions.NEW_ENUM_VALUE: transactions.new_enum_value,
    blocking.COLUMN_TYPE: blocking.changed_types,
    blocking.TABLE_REWRITE: blocking.rewritten_tables,
    blocking.TABLE_READ: blocking.read_tables,
    blocking.EXCLUSIVE_LOCK: blocking.exclusive_locks,
    blocking.UNREAD_SQL: blocking.unread_sql,
}
OWN_RULES = frozenset(
    {*RULES, blocking.TRUNCATE, IGNORE_WITHOUT_REASON, IGNORE_OF_UNKNOWN_RULE, UNUSED_IGNORE}
)
"""All rules that are not Squawk's."""

ATTRIBUTE = "lint_ignore"
LIKE_THIS = f'{ATTRIBUTE} = {{"ban-drop-column": "Never written: the feature was not released."}}'


def without_ignored(
    found: Sequence[LintFinding],
    script: MigrationScript,
    squawk: Squawk,
    not_run: Collection[str] = (),
) -> Iterator[LintFinding]:
    """Yield the findings that ``lint_ignore`` gives no reason to ignore, and its own mistakes.

    Arguments:
        not_run: rules of the other engine, which may be named and have found nothing.
    """
    given: Any = getattr(script.migration, ATTRIBUTE, {})
    reasons: dict[Any, Any] = given if isinstance(given, dict) else {}
    ignored = {rule for rule, why in reasons.items() if isinstance(why, str) and why.strip()}
    yield from (finding for finding in found if finding.rule not in ignored)
    write_why = f"Write why it is safe: {LIKE_THIS}"
    if not isinstance(given, dict):
        message = f"{ATTRIBUTE} is not a dictionary of rules and reasons."
        yield script.finding(IGNORE_WITHOUT_REASON, message, write_why)
    for rule in reasons:
        if rule not in ignored:
            message = f'{ATTRIBUTE} has no reason for "{rule}".'
            yield script.finding(IGNORE_WITHOUT_REASON, message, write_why)
        elif not isinstance(rule, str) or not (
            rule in OWN_RULES or rule in DISTRIBUTED or squawk.knows(rule)
        ):
            message = f'{ATTRIBUTE} names an unknown rule: "{rule}".'
            yield script.finding(
                IGNORE_OF_UNKNOWN_RULE, message, "Use the id of the rule as it is reported."
            )
        elif rule in not_run:
            continue
        elif not script.incomplete_reason and all(finding.rule != rule for finding in found):
            message = f'{ATTRIBUTE} names the rule "{rule}", which finds nothing here.'
            yield script.finding(UNUSED_IGNORE, message, "Remove it.", level="warning")
