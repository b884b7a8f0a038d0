"""Checksums of migrations' syntax trees, in which formatting and comments do not count.

Neither does ``former_dependencies``, which is added to files that are applied.

The digest is of our own serialisation of the tree, because ``ast.dump`` differs between versions
of Python. It does not cover what the file imports or opens.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import itertools
from collections.abc import Collection, Iterable, Iterator

from .files import MigrationKey, migration_file

VERSION = 1
"""The version of the serialisation, which precedes each digest."""

UNCOUNTED = frozenset({"former_dependencies"})
_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})
_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in _IGNORED_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


PART = "PART"
"""The name in an outline for which a part is meant."""


@functools.lru_cache(maxsize=1024)  # A run needs the same files several times.
def checksum(source: str | bytes, uncounted: frozenset[str] = UNCOUNTED) -> str:
    """Return the checksum of a migration's source; bytes are read in the encoding they declare.

    Raises:
        SyntaxError: the source is not Python.
    """
    digest = _Digest(uncounted=uncounted)
    digest.add(ast.parse(source))
    return digest.value()


def checksum_in_parts(outline: str, parts: Iterable[str]) -> str:
    """Return the checksum of a source, given without some of its expressions.

    A syntax tree takes sixty times the memory of its source, and Python's garbage collector looks
    through all of it again and again: a large file is parsed in parts.

    Arguments:
        outline: the source with the name ``PART`` in place of each of them.
        parts: the expressions, in their order.

    Raises:
        SyntaxError: one of them is not Python.
    """
    digest = _Digest(parts)
    digest.add(ast.parse(outline))
    return digest.value()


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


class _Digest:
    """The digest of a tree, serialised as tokens that end with a null character each."""

    def __init__(
        self, parts: Iterable[str] | None = None, *, uncounted: Collection[str] = UNCOUNTED
    ) -> None:
        self.parts = None if parts is None else iter(parts)
        self.uncounted = uncounted
        self.hash = hashlib.sha256()
        self.tokens: list[str] = []

    def value(self) -> str:
        self._flush()
        return f"{VERSION}:{self.hash.hexdigest()}"

    def add(self, node: object) -> None:
        """Add a node, or a list or a value in one."""
        kind, emit = type(node), self.tokens.append
        if isinstance(node, ast.Constant):
            emit(f"(Constant\0value\0{type(node.value).__name__}:{node.value!r}\0)\0")
        elif isinstance(node, list):
            emit("[\0")
            for item in node:
                if not self._is_uncounted(item):
                    self.add(item)
            emit("]\0")
        elif isinstance(node, ast.Name) and node.id == PART and self.parts is not None:
            self._flush()
            self.add(ast.parse(next(self.parts), mode="eval").body)
            self._flush()
        elif isinstance(node, ast.JoinedStr):
            emit("(JoinedStr\0")
            self.add(list(_join_fstring(node.values)))
            emit(")\0")
        elif isinstance(node, ast.AST):
            emit(f"({kind.__name__}\0")
            for name in _FIELDS[type(node)]:
                value = getattr(node, name, None)
                if value is None or value == []:
                    continue
                if type(value) is str:
                    emit(f"{name}\0str:{value!r}\0")
                else:
                    emit(f"{name}\0")
                    self.add(value)
            emit(")\0")
        else:
            emit(f"{kind.__name__}:{node!r}\0")

    def _is_uncounted(self, node: object) -> bool:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        return any(isinstance(item, ast.Name) and item.id in self.uncounted for item in targets)

    def _flush(self) -> None:
        self.hash.update("".join(self.tokens).encode("utf-8", "surrogatepass"))
        self.tokens.clear()


def _join_fstring(values: list[ast.expr]) -> Iterator[ast.expr]:
    """Join adjacent texts of an f-string, which versions of Python split differently."""
    for is_text, group in itertools.groupby(values, lambda value: isinstance(value, ast.Constant)):
        if not is_text:
            yield from group
        elif text := "".join(str(part.value) for part in group if isinstance(part, ast.Constant)):
            yield ast.Constant(text)
