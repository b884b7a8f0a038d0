"""Checksums of migrations' syntax trees, in which formatting and comments do not count.

Neither does ``former_dependencies``, which is added to files that are applied.

They do not cover what the file imports or opens.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Collection, Iterable
from itertools import chain

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
    return _digest([serialise(ast.parse(source), uncounted)])


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
    try:
        return checksum(path.read_bytes(), UNCOUNTED.union(uncounted)) if path else ""
    except (SyntaxError, ValueError):
        return ""


def _digest(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode("utf-8", "surrogatepass"))
    return f"{VERSION}:{found.hexdigest()}"
