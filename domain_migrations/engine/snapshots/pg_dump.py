"""A dump of a schema, and the statements of it that a snapshot keeps.

A snapshot has to restore on an older server than it was written on, through a driver instead of
psql, into an existing schema; and two snapshots of equal schemas have to be equal to the byte. So
settings, psql's commands, comments between the statements and the schema itself are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import QualifiedName
from ..sql.lexer import split_statements, tokens
from .dump_program import start_dump

OPTIONS = (
    "--encoding=UTF8",
    "--format=plain",
    "--column-inserts",
    "--no-owner",
    "--no-privileges",
    "--no-publications",
    "--no-security-labels",
    "--no-subscriptions",
    "--no-tablespaces",
)


DEFINITION_OPTIONS = (
    "--encoding=UTF8",
    "--format=plain",
    "--schema-only",
    "--clean",
    "--no-owner",
    "--no-privileges",
    "--no-publications",
    "--no-security-labels",
    "--no-subscriptions",
)
"""Those for what creates each object, and what drops it."""


def dump_schema(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    exclude: Iterable[QualifiedName],
    options: Iterable[str] = OPTIONS,
) -> str:
    """Return a schema of the connection's database as text, with its rows as INSERTs.

    Arguments:
        exclude: tables and sequences to leave out.
        options: of the program, in place of those for a snapshot.

    Raises:
        InvalidConfiguration: no ``pg_dump`` that can read the server is installed.
        InsufficientPrivilege: the role may not read the schema.
        MigrationFailed: ``pg_dump`` failed.
    """
    with start_dump(connection, schema, exclude=exclude, options=options) as dump:
        return dump.text()


DROPPED = re.compile(r"SET |CREATE SCHEMA |SELECT pg_catalog\.set_config\(")
SETVAL = re.compile(r"SELECT pg_catalog\.setval\('((?:[^']|'')*)', (-?\d+), (true|false)\);")
INSERT = re.compile(r"INSERT INTO ((?:\"(?:[^\"]|\"\")*\"|[^\s\"])+) ")
NUMBERS = re.compile(r"(\d+)")


def normalise(dump: str, sequence_starts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the statements of a dump that a snapshot keeps, in the order of the dump.

    Arguments:
        dump: the plain text of ``pg_dump``, rows as INSERTs.
        sequence_starts: quoted name of each sequence → its start value.
    """
    kept = [
        strip_array_casts(statement)
        for statement in split_statements(dump)
        if not DROPPED.match(statement) and not _is_untouched(statement, sequence_starts)
    ]
    ordered: list[str] = []
    for table, group in groupby(kept, key=insert_target):
        members = list(group)
        ordered += sorted(members, key=_natural_sort_key) if table else members
    return tuple(ordered)


def insert_target(statement: str) -> str | None:
    """Return the quoted table of an INSERT; None for other statements."""
    found = INSERT.match(statement)
    return found[1] if found else None


def is_data(statement: str) -> bool:
    """Return whether a statement inserts rows or sets a sequence."""
    return bool(insert_target(statement) or SETVAL.fullmatch(statement))


def _is_untouched(statement: str, starts: Mapping[str, int]) -> bool:
    """Return whether a statement sets a sequence to the start value of a new one."""
    found = SETVAL.fullmatch(statement)
    if found is None or found[3] == "true":
        return False
    return starts.get(found[1].replace("''", "'")) == int(found[2])


def _natural_sort_key(statement: str) -> list[tuple[int, str]]:
    """Return a key that sorts 9 before 10, because the order of rows on disk is arbitrary."""
    return [
        (int(part) if part.isascii() and part.isdigit() else 0, part)
        for part in NUMBERS.split(statement)
    ]


OPEN, CLOSE = frozenset("(["), frozenset(")]")


def strip_array_casts(statement: str) -> str:
    """Return the statement without casts around the array of an ``ANY`` or ``ALL``."""
    if "::" not in statement or "ARRAY[" not in statement:
        return statement
    parts = [token.raw for token in tokens(statement)]
    dropped: set[int] = set()
    for start in range(len(parts)):
        dropped.update(_cast_around_array(parts, start))
    return "".join(part for i, part in enumerate(parts) if i not in dropped)


def _cast_around_array(parts: list[str], start: int) -> Iterator[int]:
    """Yield the parts to leave out of ``ANY ((ARRAY[…])::type[])`` that begins at ``start``."""
    if parts[start : start + 6] not in (
        ["ANY", " ", "(", "(", "ARRAY", "["],
        ["ALL", " ", "(", "(", "ARRAY", "["],
    ):
        return
    inner = start + 3
    end = _closing(parts, inner)
    outer = _closing(parts, start + 2)
    cast = parts[end + 1 : outer]
    if cast[:1] == ["::"] and cast[-2:] == ["[", "]"] and parts[end - 1] == "]":
        yield inner
        yield from range(end, outer)


def _closing(parts: list[str], opening: int) -> int:
    """Return the position of the closing parenthesis or bracket."""
    depth = 0
    for i in range(opening, len(parts)):
        depth += (parts[i] in OPEN) - (parts[i] in CLOSE)
        if not depth:
            return i
    return len(parts)
