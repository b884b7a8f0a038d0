"""Rules on statements that rewrite or read existing tables, or block them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...domains import QualifiedName
from ...engine.sql.words import Words
from .column_types import SERIALS, ColumnType, conversion
from .existing import END_OF_TYPE, Column, KnownType
from .script import LintFinding, MigrationScript, Statement
from .statement_effects import changed_relation

COLUMN_TYPE = "changing-column-type"
TABLE_REWRITE = "table-rewrite"
TABLE_READ = "table-read"
TRUNCATE = "truncate"
EXCLUSIVE_LOCK = "exclusive-lock"
UNREAD_SQL = "unread-sql"

NEW_COLUMN = (
    "Add a field of the new type, copy the rows in batches, let the code use it, and remove the"
    " old one in a later release."
)
NEW_TABLE = "Do it while the table is not in use, or write why that is safe in lint_ignore."
NEW_CHECK = (
    "Drop the constraint first; add it again NOT VALID, and validate it in the next migration."
)
NEW_INDEX = "Drop the index first, and build it again concurrently in the next migration."
CHECK_LATER = (
    "Use the type that the domain stands for, with a check of the table that is NOT VALID, and"
    " validate it in the next migration."
)
READ_IT = (
    "Write its statements as RunSQL of their own, or look at it yourself and write in lint_ignore"
    " why it is safe."
)
REWRITES = (
    ("set", "unlogged"),
    ("set", "logged"),
    ("set", "tablespace"),
    ("set", "access", "method"),
    ("set", "expression"),
)
"""The actions of ``ALTER TABLE`` that write all rows of the table again."""
WEAK_LOCKS = (("access", "share"), ("row", "share"), ("row", "exclusive"))


class ColumnChange(NamedTuple):
    """A column that a statement adds or whose type it changes."""

    table: QualifiedName
    name: str
    action: Words
    is_new: bool


def column_changes(sql: str) -> Iterator[ColumnChange]:
    """Yield the columns that a statement adds or whose types it changes.

    ``action`` is the text from the type on.
    """
    words = Words.of(sql)
    if not words.take("alter", "table"):
        return
    table = words.altered_table()
    if table is None:
        return
    for action in words.parts():
        if action.take("add") and not (
            action.rest and action.rest[0].is_word("constraint", "primary", "unique", "check")
        ):
            if action.rest and action.rest[0].is_word("foreign", "exclude", "not"):
                continue
            action.take("column")
            action.take("if", "not", "exists")
            yield ColumnChange(table, action.identifier(), action, is_new=True)
        elif action.take("alter"):
            action.take("column")
            name = action.identifier()
            if action.take("type") or action.take("set", "data", "type"):
                yield ColumnChange(table, name, action, is_new=False)


def changed_types(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the changes of columns' types that rewrite or read existing tables."""
    types: dict[tuple[QualifiedName, str], str] = {}
    names: dict[tuple[QualifiedName, str], tuple[QualifiedName, str]] = {}
    before: list[str] = []
    for statement in script.statements:
        for change in column_changes(statement.sql):
            column = (change.table, change.name)
            new = change.action.text_before(*END_OF_TYPE)
            if not change.is_new and change.table not in statement.new:
                found = script.existing.column(*names.get(column, column))
                old = types.get(column) or (found.type if found else None)
                if finding := _changed_type(script, statement, change, old, found, before):
                    yield finding
            types[column] = new
        if renamed := _renamed_column(statement.sql):
            table, old_name, new_name = renamed
            names[table, new_name] = names.get((table, old_name), (table, old_name))
            if (table, old_name) in types:
                types[table, new_name] = types[table, old_name]
        before.append(statement.sql)


def _changed_type(
    script: MigrationScript,
    statement: Statement,
    change: ColumnChange,
    old: str | None,
    found: Column | None,
    before: list[str],
) -> LintFinding | None:
    new = change.action.text_before(*END_OF_TYPE)
    known_old = script.existing.known_type(old, before) if old else None
    known_new = script.existing.known_type(new, before)
    name = f"{change.table}.{change.name}"
    what = f"The type of {name} changes from {old or 'an unknown one'} to {new}"
    blocked = "while nobody can read or write it"
    effect = _effect(script, change, known_old, known_new)
    if effect == "rewritten":
        text, hint = f"{what}: {change.table} is rewritten {blocked}.", NEW_COLUMN
    elif found and found.checked:
        text, hint = f"{what}: its check constraints read {change.table} {blocked}.", NEW_CHECK
    elif found and (
        found.computed_index
        or (found.indexed and (effect == "indexes" or change.action.has("collate")))
    ):
        text, hint = f"{what}: its indexes are built again {blocked}.", NEW_INDEX
    else:
        return None
    return script.finding(COLUMN_TYPE, text, hint, statement)


def _effect(
    script: MigrationScript, change: ColumnChange, old: KnownType | None, new: KnownType | None
) -> str:
    if old is None or new is None or new.checked or not _casts_only(change):
        return "rewritten"
    in_utc = script.existing.connection.timezone_name == "UTC"
    return conversion(old.type, new.type, in_utc=in_utc)


def _casts_only(change: ColumnChange) -> bool:
    """Return whether USING, if there is one, has the column itself, cast to the new type."""
    action = change.action
    written = ColumnType.of(action.text_before(*END_OF_TYPE))
    using = Words(action.source, action.rest)
    while using.rest and not using.take("using"):
        using.at += 1
    while using.rest and using.sign("("):
        pass
    if not using.rest:
        return True
    is_call = using.take("cast") and using.sign("(")
    if using.identifier() != change.name:
        return False
    if is_call and not using.take("as"):
        return False
    if not is_call and using.rest and not using.sign("::"):
        return all(token.is_operator(")") for token in using.rest)
    rest = list(using.rest)
    depth = 0
    for at, token in enumerate(rest):
        depth += token.is_operator("(") - token.is_operator(")")
        if depth < 0:
            rest = rest[:at]
            break
    return not rest or ColumnType.of(using.source[rest[0].start : rest[-1].end]) == written


def _renamed_column(sql: str) -> tuple[QualifiedName, str, str] | None:
    words = Words.of(sql)
    if not words.take("alter", "table"):
        return None
    words.take("if", "exists")
    words.take("only")
    table = words.name()
    words.sign("*")
    if table is None or not words.take("rename") or words.take("constraint") or words.take("to"):
        return None
    words.take("column")
    old = words.identifier()
    return (table, old, words.identifier()) if words.take("to") else None


def rewritten_tables(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the statements that rewrite an existing table, but for changes of types."""
    before: list[str] = []
    for statement in script.statements:
        table = changed_relation(statement.sql, statement.new)
        if table is not None:
            for what, hint in _rewrites(statement.sql):
                text = f"{what}: {table} is rewritten while nobody can read or write it."
                yield script.finding(TABLE_REWRITE, text, hint, statement)
            for change in column_changes(statement.sql):
                yield from _new_column(script, statement, change, before)
        before.append(statement.sql)


def read_tables(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the statements that read a whole existing table while nobody can use it."""
    for statement in script.statements:
        for change in column_changes(statement.sql):
            if change.is_new and change.table not in statement.new and change.action.has("check"):
                yield script.finding(
                    TABLE_READ,
                    f"{change.table}.{change.name} is added with a check, which reads"
                    f" {change.table} while nobody can read or write it.",
                    "Add the column first, and then the check NOT VALID; validate it in the next"
                    " migration.",
                    statement,
                )
        words = Words.of(statement.sql)
        while words.rest and not words.take("attach", "partition"):
            words.at += 1
        partition = words.name() if words.has("for", "values") or words.has("default") else None
        if partition and partition not in statement.new:
            yield script.finding(
                TABLE_READ,
                f"ATTACH PARTITION reads {partition} while nobody can read or write it.",
                "Add a check of the partition's bounds to it before, NOT VALID, and validate it;"
                " or write in lint_ignore that it has one.",
                statement,
            )


def _new_column(
    script: MigrationScript, statement: Statement, change: ColumnChange, before: list[str]
) -> Iterator[LintFinding]:
    type_ = change.action.text_before(*END_OF_TYPE)
    if not change.is_new or not type_:
        return
    known = script.existing.known_type(type_, before)
    if known is None:
        yield script.finding(
            UNREAD_SQL,
            f"The type {type_} of {change.table}.{change.name} is not known here: a domain with a"
            " check rewrites the table.",
            "Lint it on a database where the migrations before it are applied.",
            statement,
            "warning",
        )
    elif known.type.base in SERIALS:
        yield script.finding(
            TABLE_REWRITE,
            f"{change.table}.{change.name} is numbered by a new sequence: {change.table} is"
            " rewritten while nobody can read or write it.",
            "Add the column with null=True, fill it in batches, and give it its default later.",
            statement,
        )
    elif known.checked:
        yield script.finding(
            TABLE_REWRITE,
            f"{change.table}.{change.name} has the type {type_}, a domain with a check:"
            f" {change.table} is rewritten while nobody can read or write it.",
            CHECK_LATER,
            statement,
        )


def _rewrites(sql: str) -> Iterator[tuple[str, str]]:
    words = Words.of(sql)
    if words.take("cluster"):
        yield "CLUSTER sorts the rows", NEW_TABLE
    elif words.take("vacuum"):
        options = [token.text.lower() for token in words.skip_group()]
        if "full" in options or words.take("full"):
            yield "VACUUM FULL compacts the rows", NEW_TABLE
    elif words.take("alter") and any(map(words.take, ("table", "materialized"))):
        for action in REWRITES:
            if words.has(*action):
                yield f"{' '.join(action).upper()} changes how the rows are stored", NEW_TABLE


def exclusive_locks(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield what empties an existing table, or blocks those who read one."""
    for statement in script.statements:
        table = changed_relation(statement.sql, statement.new)
        words = Words.of(statement.sql)
        if table is None:
            continue
        if words.take("truncate"):
            yield script.finding(
                TRUNCATE,
                f"TRUNCATE removes all rows of {table}, and nobody can read or write it until the"
                " migration ends.",
                "Delete the rows in batches in a migration of its own, or write in lint_ignore why"
                " nobody needs them.",
                statement,
            )
        elif words.take("refresh") and not words.has("concurrently"):
            yield script.finding(
                EXCLUSIVE_LOCK,
                f"REFRESH blocks those who read {table} until the migration ends.",
                "Use REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index.",
                statement,
            )
        elif words.take("lock") and not any(words.has(*mode, "mode") for mode in WEAK_LOCKS):
            yield script.finding(
                EXCLUSIVE_LOCK,
                f"LOCK blocks those who use {table} until the migration ends.",
                "Leave it out: each statement takes the lock that it needs.",
                statement,
            )


def unread_sql(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the statements whose effect is in code that is not read."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        for command, what in (("do", "A DO block"), ("call", "The procedure"), ("execute", "It")):
            if words.take(command):
                text = f"{what} is not read: what its statements do is not known."
                yield script.finding(UNREAD_SQL, text, READ_IT, statement, "warning")
