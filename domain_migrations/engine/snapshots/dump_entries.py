"""The entries of a dump: the statements that create each object, and the one that drops it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.names import quote
from ...domains import QualifiedName
from ...exceptions import MigrationFailed
from ..sql.lexer import split_statements
from .dump_program import RunningDump, start_dump
from .not_null import name_shared_constraints
from .pg_dump import DEFINITION_OPTIONS, strip_array_casts

HEADER = re.compile(r"\n-- Name: (.*); Type: (.*); Schema: .*; Owner:.*\n--\n")
STATEMENT = re.compile(
    r"""(?: [^'"$;]++ | '[^']*+' | "[^"]*+"
        | \$(?P<tag>[^\W\d]\w*)?\$.*?\$(?(tag)(?P=tag))\$ | \$ )++;""",
    re.VERBOSE | re.DOTALL,
)
"""A statement without another one inside; in a dump each quote in a string is doubled."""
RESTRICT = re.compile(r"^\\restrict (\w+)\n", re.MULTILINE)
"""A command of psql near the beginning; its counterpart is at the end."""
NESTED = re.compile(r"\bBEGIN ATOMIC\b|^CREATE RULE ", re.MULTILINE)
"""Statements that may contain others."""
PLACE = re.compile(r"SET (default_tablespace|default_table_access_method) = (.*);")
ORDINARY_PLACES = {"default_tablespace": "''", "default_table_access_method": "heap"}
COLUMN_OPTIONS = re.compile(r"ALTER (?:FOREIGN )?TABLE ONLY .* ALTER COLUMN .* SET \((.*)\);")
COLUMN_MARK = re.compile(r"pg_attver=\d+")
"""An option that minor releases of late 2026 put on columns; older programs write it, older
servers refuse it."""
IGNORED = re.compile(r"SET |SELECT pg_catalog\.set_config\(|CREATE SCHEMA ")

DROP_BY_NAME = {"INDEX": "DROP INDEX", "SEQUENCE": "DROP SEQUENCE"}
"""Kinds of which some have no statement of their own: an attached index, an identity."""
DROPS: dict[str, str | tuple[str, ...]] = {
    "AGGREGATE": "DROP AGGREGATE ",
    "CHECK CONSTRAINT": "ALTER ",
    "COLLATION": "DROP COLLATION ",
    "CONSTRAINT": "ALTER ",
    "CONVERSION": "DROP CONVERSION ",
    "DEFAULT": "ALTER ",
    "DOMAIN": "DROP DOMAIN ",
    "EXTENSION": "DROP EXTENSION ",
    "FK CONSTRAINT": "ALTER ",
    "FOREIGN TABLE": "DROP FOREIGN TABLE ",
    "FUNCTION": "DROP FUNCTION ",
    "MATERIALIZED VIEW": "DROP MATERIALIZED VIEW ",
    "OPERATOR": "DROP OPERATOR ",
    "OPERATOR CLASS": "DROP OPERATOR CLASS ",
    "OPERATOR FAMILY": "DROP OPERATOR FAMILY ",
    "POLICY": "DROP POLICY ",
    "PROCEDURE": "DROP PROCEDURE ",
    "RULE": ("DROP RULE ", "CREATE OR REPLACE VIEW "),
    "SCHEMA": "DROP SCHEMA ",
    "SHELL TYPE": "DROP TYPE ",
    "STATISTICS": "DROP STATISTICS ",
    "TABLE": "DROP TABLE ",
    "TEXT SEARCH CONFIGURATION": "DROP TEXT SEARCH CONFIGURATION ",
    "TEXT SEARCH DICTIONARY": "DROP TEXT SEARCH DICTIONARY ",
    "TEXT SEARCH PARSER": "DROP TEXT SEARCH PARSER ",
    "TEXT SEARCH TEMPLATE": "DROP TEXT SEARCH TEMPLATE ",
    "TRIGGER": "DROP TRIGGER ",
    "TYPE": "DROP TYPE ",
    "VIEW": "DROP VIEW ",
}
"""Kind of an entry → how the statement begins that drops it; other kinds have none."""


@dataclass(frozen=True, slots=True)
class DumpEntry:
    """One object of a dump, or one property of an object.

    Attributes:
        kind: as ``pg_dump`` calls it: ``TABLE``, ``FK CONSTRAINT``, ``COMMENT`` …
        name: as ``pg_dump`` shows it, unquoted: ``items``, ``items items_pkey``.
        statements: those that create it.
        drop: the one that drops it; "" if it goes with another object.
    """

    kind: str
    name: str
    statements: tuple[str, ...]
    drop: str = ""


def read_entries(
    connection: BaseDatabaseWrapper, schema: str, *, exclude: Iterable[QualifiedName] = ()
) -> tuple[DumpEntry, ...]:
    """Return the entries of a schema, in an order in which they can be created.

    Owners, privileges, publications and rows are not among them, and neither is the schema.

    Arguments:
        exclude: tables and sequences to leave out.

    Raises:
        InvalidConfiguration: no ``pg_dump`` that can read the server is installed.
        MigrationFailed: ``pg_dump`` failed, or its output has another form.
    """
    with start_reading(connection, schema, exclude=exclude) as dump:
        return entries_of(connection, dump)


def start_reading(
    connection: BaseDatabaseWrapper, schema: str, *, exclude: Iterable[QualifiedName] = ()
) -> AbstractContextManager[RunningDump]:
    """Start the dump for :func:`entries_of`; arguments and errors as for ``read_entries``."""
    return start_dump(connection, schema, exclude=exclude, options=DEFINITION_OPTIONS)


def entries_of(connection: BaseDatabaseWrapper, dump: RunningDump) -> tuple[DumpEntry, ...]:
    """Return the entries of a dump when it has ended."""
    entries = parse_entries(dump.text())
    tables = {entry.name: entry.statements[0] for entry in entries if entry.kind == "TABLE"}
    named = name_shared_constraints(connection, dump.schema, tables)
    return tuple(
        replace(entry, statements=(named[entry.name], *entry.statements[1:]))
        if entry.kind == "TABLE" and named[entry.name] != entry.statements[0]
        else entry
        for entry in entries
    )


def parse_entries(dump: str) -> tuple[DumpEntry, ...]:
    """Return the entries of a dump that was made with ``DEFINITION_OPTIONS``.

    Raises:
        MigrationFailed: the text has another form.
    """
    try:
        preamble, *pieces = _pieces(_without_meta_commands(dump))
    except ValueError as exc:
        raise MigrationFailed(f"The output of pg_dump cannot be read: {exc}") from exc
    drops = [text for text in preamble[2] if not IGNORED.match(text)]
    entries: list[DumpEntry] = []
    for name, kind, statements in reversed(list(_with_places(pieces))):
        drop = drops.pop(0) if drops and _drops(kind, name, statements, drops[0]) else ""
        if kind != "SCHEMA" and statements:
            entries.append(DumpEntry(kind, name, statements, drop))
    if drops:
        raise MigrationFailed(f"The output of pg_dump cannot be read: nothing makes {drops[0]}")
    return tuple(reversed(entries))


def _without_meta_commands(dump: str) -> str:
    found = RESTRICT.search(dump)
    if found is None:
        return dump
    return dump.replace(found[0], "", 1).replace(f"\\un{found[0][1:]}", "")


Piece = tuple[str, str, list[str]]
"""Name, kind and statements."""


def _pieces(dump: str) -> Iterator[Piece]:
    """Yield the text between the headers; a header inside of a quote is not one."""
    headers = list(HEADER.finditer(dump))
    starts = [0, *(header.end() for header in headers)]
    ends = [*(header.start() + 1 for header in headers), len(dump)]
    titles = [("", ""), *((header[1], header[2]) for header in headers)]
    at = 0
    while at < len(starts):
        first, last = at, at
        while (found := _statements(dump[starts[first] : ends[last]])) is None:
            last += 1
            if last == len(ends):
                raise ValueError(f"It ends inside of a statement: {titles[first][0]}.")
        yield (*titles[first], found)
        at = last + 1


def _statements(text: str) -> list[str] | None:
    """Return the statements of a text; None if it ends inside of one."""
    if NESTED.search(text):
        try:
            return split_statements(text)
        except ValueError:
            return None
    found, position = [], 0
    while match := STATEMENT.match(text, position):
        if statement := _without_mark(_without_comments(match[0])):
            found.append(statement)
        position = match.end()
    return None if _without_comments(text[position:]) else found


def _without_mark(statement: str) -> str:
    """Return the statement without PostgreSQL's own option of columns, "" if nothing is left."""
    found = COLUMN_OPTIONS.fullmatch(statement)
    if found is None:
        return statement
    options = [option for option in found[1].split(", ") if not COLUMN_MARK.fullmatch(option)]
    return statement.replace(f"({found[1]});", f"({', '.join(options)});") if options else ""


def _without_comments(text: str) -> str:
    """Return the text without blank lines and comments at its beginning."""
    while (text := text.lstrip()).startswith("--"):
        text = text.partition("\n")[2]
    return text


def _with_places(pieces: Iterable[Piece]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the pieces, with the tablespace and access method that a dump sets before some."""
    places = dict(ORDINARY_PLACES)
    for name, kind, statements in pieces:
        # Without these casts PostgreSQL reads back what it has written.
        own = [strip_array_casts(text) for text in statements if not IGNORED.match(text)]
        unusual = {key: value for key, value in places.items() if value != ORDINARY_PLACES[key]}
        if own and unusual:
            before = [f"SET LOCAL {key} = {value};" for key, value in unusual.items()]
            after = [f"SET LOCAL {key} = {ORDINARY_PLACES[key]};" for key in unusual]
            own = [*before, *own, *after]
        yield name, kind, tuple(own)
        found = filter(None, map(PLACE.fullmatch, statements))
        places.update((place[1], place[2]) for place in found)


def _drops(kind: str, name: str, statements: tuple[str, ...], drop: str) -> bool:
    if kind in DROP_BY_NAME:
        is_it = drop.endswith((f".{name};", f".{quote(name)};"))
        return is_it and drop.startswith(DROP_BY_NAME[kind])
    return kind in DROPS and drop.startswith(DROPS[kind])
