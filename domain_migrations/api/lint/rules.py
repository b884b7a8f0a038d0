"""What Squawk cannot know: a migration's other half, its Python, and which tables are core's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.migrations.operations.special import RunPython, RunSQL

from ...domains import CORE_SCHEMA, Domain, get_domain
from .findings import Level
from .hints import FOREIGN_KEY
from .script import MigrationScript, Statement, database_operations

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
SPLIT = "Change the rows in a migration of its own, before or behind this one."
DATA = re.compile(
    r"\s*(?:WITH\b.*?)?\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|COPY|TRUNCATE)\b",
    re.I | re.S,
)
DATA_BEGINS = re.compile(r"\s*(?:WITH|INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE)\b", re.I)


@dataclass(frozen=True)
class Issue:
    """What one of our rules has found, whatever domain it is in."""

    rule: str
    message: str
    hint: str
    operation: int = 0
    sql: str = ""
    level: Level = "error"


Rule = Callable[[MigrationScript, Domain], Iterator[Issue]]


def missing_reverse(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
    """Yield the operations that cannot be undone."""
    for number, operation in enumerate(script.migration.operations, start=1):
        for inner in database_operations([operation]):
            if inner.reversible:
                continue
            argument = {RunPython: "reverse_code", RunSQL: "reverse_sql"}.get(type(inner))
            name = type(inner).__name__
            yield Issue(
                MISSING_REVERSE,
                f"Operation {number}, {name}, has no way back, so the migration cannot be undone.",
                f"Give it {argument}; {name}.noop where there is nothing to undo."
                if argument
                else "Write its reverse, or split it off into a migration of its own.",
                number,
            )


def data_with_ddl(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
    """Yield the changes of rows that share a transaction with a change of the schema.

    The lock on an existing table is kept until the rows are done, which is an error. Tables that
    the migration makes are nobody's yet; a row that cannot be filled still undoes it all.
    """
    if not script.migration.atomic or not any(DDL.match(s.sql) for s in script.statements):
        return
    fresh = created_tables(script)
    changed = [name for s in script.statements if (name := changed_table(s.sql, fresh)) is not None]
    what = "in the transaction that changes the schema"
    if changed:
        what = f"and the lock that changes {changed[0] or 'an object'} is kept until they are done"
    level: Level = "error" if changed else "warning"
    for number, operation in enumerate(script.migration.operations, start=1):
        for inner in database_operations([operation]):
            if isinstance(inner, RunPython) and inner.code is not RunPython.noop:
                said = f"Operation {number} changes rows by Python, {what}."
                yield Issue(DATA_WITH_DDL, said, SPLIT, number, level=level)
    for statement in script.statements:
        if DATA_BEGINS.match(statement.sql) and DATA.match(statement.sql):
            said = f"Operation {statement.operation} changes rows, {what}."
            yield Issue(DATA_WITH_DDL, said, SPLIT, statement.operation, statement.sql, level=level)


def core_foreign_key(script: MigrationScript, domain: Domain) -> Iterator[Issue]:
    """Yield the foreign keys from existing tables to core that are checked at once."""
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
    """Yield the columns that are required, and whose default goes once they are there.

    That is how Django adds a field with a default that only Python knows.
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
    """Return whether the default that a statement drops was only given for the migration."""
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
    """Return the table of core that a foreign key points to, and that is checked at once."""
    found = REFERENCES.search(statement.sql)
    if domain.is_core or found is None or NOT_VALID.search(statement.sql):
        return None
    schema, _, name = _plain(found[1]).rpartition(".")
    core = get_domain("core").schema
    return f"{core}.{name}" if (schema or CORE_SCHEMA) == core else None


def created_tables(script: MigrationScript) -> set[str]:
    """Return the tables that the migration makes."""
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
    """Return whether a statement changes or makes one of the tables."""
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
"""Every rule of ours."""
