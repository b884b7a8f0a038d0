"""Rules beyond Squawk's: on reverse operations, Python and core's tables, and ``lint_ignore``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.special import RunPython, RunSQL

from ...domains import CORE, CORE_SCHEMA, Domain, get_domain
from ...engine.guard.operation_kinds import database_operations
from .script import Level, LintFinding, MigrationScript, Statement
from .squawk import FOREIGN_KEY, Squawk

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
CREATE = re.compile(rf"\s*CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{TABLE}", re.I)
INDEX = re.compile(rf"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON\s+(?:ONLY\s+)?{TABLE}", re.I | re.S)
TRIGGER = re.compile(rf"\s*CREATE\s+(?:\w+\s+){{0,3}}TRIGGER\b.*?\bON\s+{TABLE}", re.I | re.S)
DROP = re.compile(r"\s*DROP\s+(?:TABLE|INDEX|TRIGGER)\b()", re.I)
REFERENCES = re.compile(rf"\bREFERENCES\s+{TABLE}", re.I)
ADD_REQUIRED = re.compile(
    rf"{ALTER.pattern}\s+ADD\s+COLUMN\s+({NAME})(?=\s)(?=.*\bNOT\s+NULL\b)", re.I | re.S
)
DEFAULT_DROPPED = re.compile(rf"\bALTER\s+COLUMN\s+({NAME})\s+DROP\s+DEFAULT\b", re.I)
DEFAULT_GIVEN = re.compile(
    rf"\b(?:ADD|ALTER)\s+COLUMN\s+({NAME})\s+(?:SET\s+DEFAULT\b|.*?\bDEFAULT\b)", re.I | re.S
)
NOT_VALID = re.compile(r"\bNOT\s+VALID\b", re.I)
DDL = re.compile(r"\s*(?:CREATE|ALTER|DROP)\b", re.I)
SPLIT = "Change the rows in a migration of its own, before or after this one."
DATA = re.compile(
    r"\s*(?:WITH\b.*?)?\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|COPY|TRUNCATE)\b",
    re.I | re.S,
)
DATA_BEGINS = re.compile(r"\s*(?:WITH|INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE)\b", re.I)


def missing_reverse(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the operations that cannot be reversed."""
    for number, operation in _numbered_operations(script):
        if operation.reversible:
            continue
        argument = {RunPython: "reverse_code", RunSQL: "reverse_sql"}.get(type(operation))
        name = type(operation).__name__
        yield script.finding(
            MISSING_REVERSE,
            f"Operation {number}, {name}, is irreversible: the migration cannot be unapplied.",
            f"Give it {argument}; {name}.noop where there is nothing to reverse."
            if argument
            else "Write its reverse, or split it off into a migration of its own.",
            Statement("", number),
        )


def data_with_ddl(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the changes of rows that share a transaction with a change of the schema.

    The lock on an existing table is held until the rows are changed, which is an error. Nobody
    uses tables that the migration creates; a row that cannot be filled still rolls it all back.
    """
    if not script.migration.atomic or not any(DDL.match(s.sql) for s in script.statements):
        return
    fresh = created_tables(script)
    changed = [name for s in script.statements if (name := changed_table(s.sql, fresh)) is not None]
    what = "in the transaction that changes the schema"
    if changed:
        what = f"and the lock on {changed[0] or 'an object'} is held until they are done"
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
    fresh = created_tables(script)
    for statement in script.statements:
        target = core_target(statement.sql, script.domain)
        table = _table(ALTER.match(statement.sql))
        if target and table and table not in fresh:
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
    fresh = created_tables(script)
    dropped = _columns(DEFAULT_DROPPED, script.statements)
    for statement in script.statements:
        added = ADD_REQUIRED.match(statement.sql)
        if added is None or _plain(added[1]) in fresh:
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


def core_target(sql: str, domain: Domain) -> str | None:
    """Return the core table that a foreign key, validated immediately, references."""
    table = _table(REFERENCES.search(sql))
    if domain.is_core or table is None or NOT_VALID.search(sql):
        return None
    schema, _, name = table.rpartition(".")
    core = get_domain(CORE).schema
    return f"{core}.{name}" if (schema or CORE_SCHEMA) == core else None


def created_tables(script: MigrationScript) -> set[str]:
    """Return the tables that the migration creates."""
    return {name for s in script.statements if (name := _table(CREATE.match(s.sql)))}


def changed_table(sql: str, fresh: set[str]) -> str | None:
    """Return the existing table that a statement changes, empty if it names none; else None."""
    tables = (_table(pattern.match(sql)) for pattern in (ALTER, INDEX, TRIGGER, DROP))
    name = next((table for table in tables if table is not None), None)
    return None if name in fresh else name


def touches(sql: str, tables: set[str]) -> bool:
    """Return whether a statement changes or creates one of the tables."""
    return any(_table(pattern.match(sql)) in tables for pattern in (ALTER, INDEX, TRIGGER, CREATE))


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
}
OWN_RULES = frozenset({*RULES, IGNORE_WITHOUT_REASON, IGNORE_OF_UNKNOWN_RULE, UNUSED_IGNORE})
"""All rules that are not Squawk's."""

ATTRIBUTE = "lint_ignore"
LIKE_THIS = f'{ATTRIBUTE} = {{"ban-drop-column": "Never written: the feature was not released."}}'


def without_ignored(
    found: Sequence[LintFinding], script: MigrationScript, squawk: Squawk
) -> Iterator[LintFinding]:
    """Yield the findings that ``lint_ignore`` gives no reason to ignore, and its own mistakes."""
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
        elif not isinstance(rule, str) or not (rule in OWN_RULES or squawk.knows(rule)):
            message = f'{ATTRIBUTE} names an unknown rule: "{rule}".'
            yield script.finding(
                IGNORE_OF_UNKNOWN_RULE, message, "Use the id of the rule as it is reported."
            )
        elif not script.incomplete_reason and all(finding.rule != rule for finding in found):
            message = f'{ATTRIBUTE} names the rule "{rule}", which finds nothing here.'
            yield script.finding(UNUSED_IGNORE, message, "Remove it.", level="warning")
