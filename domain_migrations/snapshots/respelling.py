"""Expressions that PostgreSQL prints in words which it does not read back as the same.

``status IN ('new', 'old')`` over a ``varchar`` is kept, and printed, as
``(status)::text = ANY ((ARRAY['new'::character varying, …])::text[])``. Reading that, PostgreSQL
moves the cast into the array, and prints ``ARRAY[('new'::character varying)::text, …]`` from
then on. Without the cast it comes in by itself, where it was: around the array.
"""

from __future__ import annotations

from collections.abc import Iterator

from .statements import tokens

OPEN, CLOSE = frozenset("(["), frozenset(")]")


def respell(statement: str) -> str:
    """Return the statement without casts around the array of an ``ANY`` or ``ALL``."""
    if "::" not in statement or "ARRAY[" not in statement:
        return statement
    parts = [part for _, part in tokens(statement)]
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
    if cast[:2] == [":", ":"] and cast[-2:] == ["[", "]"] and parts[end - 1] == "]":
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
