"""Rules beyond Squawk's: on reverse operations, Python and core's tables, and ``lint_ignore``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.db.migrations.operations.special import RunPython, RunSQL

from ...domains import CORE_SCHEMA, Domain, get_domain
from .script import MigrationScript, Statement, database_operations
from .squawk import FOREIGN_KEY, Squawk

Level = Literal["error", "warning"]

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


@dataclass(frozen=True)
class Issue:
    """Something dangerous in a migration.

    Attributes:
        operation: the number of its operation, from 1; 0 for the migration as a whole.
        sql: the statement; empty where the issue is not about one.
    """

    rule: str
    message: str
    hint: str
    operation: int = 0
    sql: str = ""
    level: Level = "error"


Rule = Callable[[MigrationScript, Domain], Iterator[Issue]]


def missing_reverse(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
    """Yield the operations that cannot be reversed."""
    for number, operation in enumerate(script.migration.operations, start=1):
        for inner in database_operations([operation]):
            if inner.reversible:
                continue
            argument = {RunPython: "reverse_code", RunSQL: "reverse_sql"}.get(type(inner))
            name = type(inner).__name__
            yield Issue(
                MISSING_REVERSE,
                f"Operation {number}, {name}, is irreversible: the migration cannot be unapplied.",
                f"Give it {argument}; {name}.noop where there is nothing to reverse."
                if argument
                else "Write its reverse, or split it off into a migration of its own.",
                number,
            )


def data_with_ddl(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
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
    for number, operation in enumerate(script.migration.operations, start=1):
        for inner in database_operations([operation]):
            if isinstance(inner, RunPython) and inner.code is not RunPython.noop:
                message = f"Operation {number} changes rows by Python, {what}."
                yield Issue(DATA_WITH_DDL, message, SPLIT, number, level=level)
    for statement in script.statements:
        if DATA_BEGINS.match(statement.sql) and DATA.match(statement.sql):
            message = f"Operation {statement.operation} changes rows, {what}."
            yield Issue(
                DATA_WITH_DDL, message, SPLIT, statement.operation, statement.sql, level=level
            )


def core_foreign_key(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
    """Yield the foreign keys from existing tables to core that are validated immediately."""
    if domain.is_core:
        return
    fresh = created_tables(script)
    for statement in script.statements:
        target = core_target(statement, domain)
        table = ALTER.match(statement.sql)
        if target and table and _plain(table[1]) not in fresh:
            yield Issue(
                CORE_FOREIGN_KEY,
                f"A foreign key to {target} of core reads all of {_plain(table[1])} while nobody"
                f" can write to {target}.",
                FOREIGN_KEY,
                statement.operation,
                statement.sql,
            )


def required_column(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
    """Yield the required columns whose default is dropped as soon as they are added.

    Django adds a field this way when only Python knows its default.
    """
    fresh = created_tables(script)
    for statement in script.statements:
        added, table = ADD_REQUIRED.match(statement.sql), ALTER.match(statement.sql)
        if not added or not table or _plain(table[1]) in fresh:
            continue
        name = f"{_plain(table[1])}.{_plain(added[2])}"
        if any(_default_dropped(other.sql) == name for other in script.statements):
            yield Issue(
                REQUIRED_COLUMN,
                f"{name} is required and keeps no default in the database: running code that does"
                " not know it cannot add rows.",
                "Give the field a db_default, or null=True until the old code is gone.",
                statement.operation,
                statement.sql,
            )


def drops_own_default(script: MigrationScript, statement: Statement) -> bool:
    """Return whether a statement drops a default that the same migration has set."""
    name = _default_dropped(statement.sql)
    if name is None:
        return False
    table, _, column = name.rpartition(".")
    for other in script.statements:
        found = ALTER.match(other.sql)
        given = [_plain(match[1]) for match in DEFAULT_GIVEN.finditer(other.sql)]
        if found and _plain(found[1]) == table and column in given:
            return True
    return False


def _default_dropped(sql: str) -> str | None:
    dropped, table = DEFAULT_DROPPED.search(sql), ALTER.match(sql)
    return f"{_plain(table[1])}.{_plain(dropped[1])}" if dropped and table else None


def core_target(statement: Statement, domain: Domain) -> str | None:
    """Return the core table that a foreign key, validated immediately, references."""
    found = REFERENCES.search(statement.sql)
    if domain.is_core or found is None or NOT_VALID.search(statement.sql):
        return None
    schema, _, name = _plain(found[1]).rpartition(".")
    core = get_domain("core").schema
    return f"{core}.{name}" if (schema or CORE_SCHEMA) == core else None


def created_tables(script: MigrationScript) -> set[str]:
    """Return the tables that the migration creates."""
    return {_plain(found[1]) for s in script.statements if (found := CREATE.match(s.sql))}


def changed_table(sql: str, fresh: set[str]) -> str | None:
    """Return the existing table that a statement changes, empty if it names none; else None."""
    for pattern in (ALTER, INDEX, TRIGGER, DROP):
        found = pattern.match(sql)
        if found:
            name = _plain(found[1])
            return None if name in fresh else name
    return None


def touches(sql: str, tables: set[str]) -> bool:
    """Return whether a statement changes or creates one of the tables."""
    patterns = (ALTER, INDEX, TRIGGER, CREATE)
    return any((found := pattern.match(sql)) and _plain(found[1]) in tables for pattern in patterns)


def _plain(name: str) -> str:
    parts = re.findall(NAME, name)
    return ".".join(
        part[1:-1].replace('""', '"') if part[0] == '"' else part.lower() for part in parts
    )


RULES: dict[str, Rule] = {
    MISSING_REVERSE: missing_reverse,
    DATA_WITH_DDL: data_with_ddl,
    CORE_FOREIGN_KEY: core_foreign_key,
    REQUIRED_COLUMN: required_column,
}
OWN_RULES = frozenset(
    {*RULES, UNKNOWN_SQL, IGNORE_WITHOUT_REASON, IGNORE_OF_UNKNOWN_RULE, UNUSED_IGNORE}
)
"""All rules that are not Squawk's."""

ATTRIBUTE = "lint_ignore"
LIKE_THIS = f'{ATTRIBUTE} = {{"ban-drop-column": "Never written: the feature was not released."}}'


class Suppressions:
    """The rules that a migration's ``lint_ignore`` names, each with a reason."""

    def __init__(self, script: MigrationScript) -> None:
        given: Any = getattr(script.migration, ATTRIBUTE, {})
        self.script = script
        self.is_mapping = isinstance(given, dict)
        self.reasons: dict[Any, Any] = given if isinstance(given, dict) else {}
        self.used: set[str] = set()

    def suppresses(self, rule: str) -> bool:
        """Return whether findings of the rule are ignored."""
        if not _is_reason(self.reasons.get(rule)):
            return False
        self.used.add(rule)
        return True

    def issues(self, squawk: Squawk) -> Iterator[Issue]:
        """Yield the mistakes in ``lint_ignore`` itself."""
        write_why = f"Write why it is safe: {LIKE_THIS}"
        if not self.is_mapping:
            message = f"{ATTRIBUTE} is not a dictionary of rules and reasons."
            yield Issue(IGNORE_WITHOUT_REASON, message, write_why)
        for rule, reason in self.reasons.items():
            if not _is_reason(reason):
                message = f'{ATTRIBUTE} has no reason for "{rule}".'
                yield Issue(IGNORE_WITHOUT_REASON, message, write_why)
            elif not isinstance(rule, str) or not (rule in OWN_RULES or squawk.knows(rule)):
                message = f'{ATTRIBUTE} names an unknown rule: "{rule}".'
                yield Issue(IGNORE_OF_UNKNOWN_RULE, message, "Write it as it is reported.")
            elif rule not in self.used and not self.script.incomplete_reason:
                message = f'{ATTRIBUTE} names the rule "{rule}", which finds nothing here.'
                yield Issue(UNUSED_IGNORE, message, "Remove it.", level="warning")


def _is_reason(reason: Any) -> bool:
    return isinstance(reason, str) and bool(reason.strip())
