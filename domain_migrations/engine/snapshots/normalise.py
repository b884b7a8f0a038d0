"""What ``pg_dump`` writes, brought to what a snapshot keeps of it.

A snapshot has to restore on an older server than it was written on, through a driver and not
through psql, into a schema that is there already; and two of the same schema have to be equal
to the byte. So settings, psql's commands, comments between the statements, the schema itself
and the names that PostgreSQL 18 gives to NOT NULL constraints are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from ..sql.lexer import split_statements, tokens

OPEN, CLOSE = frozenset("(["), frozenset(")]")


def strip_array_casts(statement: str) -> str:
    """Return the statement without casts around the array of an ``ANY`` or ``ALL``."""
    if "::" not in statement or "ARRAY[" not in statement:
        return statement
    parts = [token.raw for token in tokens(statement)]
    gone: set[int] = set()
    for start in range(len(parts)):
        gone.update(_cast_around_array(parts, start))
    return "".join(part for i, part in enumerate(parts) if i not in gone)


def _cast_around_array(parts: list[str], start: int) -> Iterator[int]:
    """Yield what to leave out of ``ANY ((ARRAY[…])::type[])`` that begins at ``start``."""
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
    """Return where the parenthesis that opens there is closed."""
    depth = 0
    for i in range(opening, len(parts)):
        depth += (parts[i] in OPEN) - (parts[i] in CLOSE)
        if not depth:
            return i
    return len(parts)


DROPPED = re.compile(r"SET |CREATE SCHEMA |SELECT pg_catalog\.set_config\(")
WITH_COLUMNS = re.compile(r"CREATE (UNLOGGED |FOREIGN )?(TABLE|DOMAIN) ")
SETVAL = re.compile(r"SELECT pg_catalog\.setval\('((?:[^']|'')*)', (-?\d+), (true|false)\);")
INSERT = re.compile(r"INSERT INTO ((?:\"(?:[^\"]|\"\")*\"|[^\s\"])+) ")
NUMBERS = re.compile(r"(\d+)")


def normalise(dump: str, sequence_starts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the statements of a dump that a snapshot keeps, in its order.

    Arguments:
        dump: the plain text of ``pg_dump``, rows as INSERTs.
        sequence_starts: quoted name of each sequence → the value that it begins with.
    """
    kept = [
        _without_not_null_names(strip_array_casts(statement))
        for statement in split_statements(dump)
        if not DROPPED.match(statement) and not _is_untouched(statement, sequence_starts)
    ]
    ordered: list[str] = []
    for table, group in groupby(kept, key=insert_target):
        members = list(group)
        ordered += sorted(members, key=_natural_sort_key) if table else members
    return tuple(ordered)


def insert_target(statement: str) -> str | None:
    """Return the quoted name of the table that an INSERT of a dump is for; None for others."""
    found = INSERT.match(statement)
    return found[1] if found else None


def is_data(statement: str) -> bool:
    """Return whether a statement of a dump makes rows or sets a sequence."""
    return bool(insert_target(statement) or SETVAL.fullmatch(statement))


def _is_untouched(statement: str, starts: Mapping[str, int]) -> bool:
    """Return whether it sets a sequence to what a new one has."""
    found = SETVAL.fullmatch(statement)
    if found is None or found[3] == "true":
        return False
    return starts.get(found[1].replace("''", "'")) == int(found[2])


def _without_not_null_names(statement: str) -> str:
    """Return ``… text NOT NULL`` for ``… text CONSTRAINT drugs_name_not_null NOT NULL``."""
    if not WITH_COLUMNS.match(statement):
        return statement
    parts = list(tokens(statement))
    words = [(i, token.raw.upper()) for i, token in enumerate(parts) if token.kind != "space"]
    gone: set[int] = set()
    for (start, first), _, (end, third), (_, fourth) in _windows(words):
        if (first, third, fourth) == ("CONSTRAINT", "NOT", "NULL"):
            gone.update(range(start, end))
    return "".join(token.raw for i, token in enumerate(parts) if i not in gone)


def _windows(
    words: Sequence[tuple[int, str]],
) -> zip[tuple[tuple[int, str], tuple[int, str], tuple[int, str], tuple[int, str]]]:
    return zip(words, words[1:], words[2:], words[3:], strict=False)


def _natural_sort_key(statement: str) -> list[tuple[int, str]]:
    """Sort 9 before 10: the order on disk is nobody's promise."""
    return [
        (int(part) if part.isascii() and part.isdigit() else 0, part)
        for part in NUMBERS.split(statement)
    ]
