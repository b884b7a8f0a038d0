"""Checksums of migrations' syntax trees, in which formatting and comments do not count.

Neither does ``former_dependencies``, which is added to files that are applied.

They do not cover what the file imports or opens.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from .divided_source import DividedSource, divide
from .files import MigrationKey, migration_file
from .serialisation import expression, serialise

VERSION = 1
"""The version of the serialisation, which precedes each digest."""

UNCOUNTED = frozenset({"former_dependencies"})
PART = "PART"
"""The name in an outline for which a part is meant."""


@functools.lru_cache(maxsize=1024)  # A run needs the same files several times.
def checksum(source: str | bytes, uncounted: frozenset[str] = UNCOUNTED) -> str:
    """Return the checksum of a migration's source; bytes are read in the encoding they declare.

    Raises:
        SyntaxError: the source is not Python.
    """
    if (divided := divide(source)) is not None:
        with suppress(SyntaxError):  # It is not written as it seems to be, or is not Python.
            return _digest(_pieces(divided, uncounted))
    return _digest([serialise(ast.parse(source), uncounted)])


def _pieces(divided: DividedSource, uncounted: Collection[str]) -> Iterator[str]:
    """Yield the serialisation of a divided source, without a tree of all of it.

    Raises:
        SyntaxError: it cannot be divided.
    """
    outline, at = serialise(divided.tree(), uncounted), 0
    for name in divided.parts:
        place = serialise(ast.Name(name))
        found = outline.find(place, at)
        if found < 0:
            raise SyntaxError("The parts have another order.")
        yield outline[at:found]
        yield serialise(divided.expression(name), uncounted)
        at = found + len(place)
    yield outline[at:]


def checksum_in_parts(outline: str, parts: Iterable[str]) -> str:
    """Return the checksum of a source, given without some of its expressions.

    A syntax tree takes sixty times the memory of its source: a large file that is being written is
    serialised in parts, without a tree.

    Arguments:
        outline: the source with the name ``PART`` in place of each of them.
        parts: the expressions' serialisations, in their order.

    Raises:
        SyntaxError: the outline is not Python.
        ValueError: there are more or fewer parts than places.
    """
    before, *after = serialise(ast.parse(outline), UNCOUNTED).split(expression(PART))
    pairs = zip(parts, after, strict=True)
    return _digest(chain([before], chain.from_iterable(pairs)))


def checksum_on_disk(key: MigrationKey, *, uncounted: Collection[str] = ()) -> str:
    """Return the checksum of a migration's file; empty if the file does not exist or is invalid.

    Arguments:
        uncounted: names whose assignments do not count either.
    """
    path = migration_file(key)
    if path is None:
        return ""
    source = path.read_bytes()
    # The checksum is the same, and known, where the file does not have the names.
    names = UNCOUNTED.union(name for name in uncounted if name.encode() in source)
    try:
        return checksum(source, names)
    except (SyntaxError, ValueError):
        return ""


def _digest(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode("utf-8", "surrogatepass"))
    return f"{VERSION}:{found.hexdigest()}"
