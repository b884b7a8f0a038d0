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
from collections.abc import Callable, Iterator

from .files import MigrationKey, migration_file

VERSION = 1
"""The version of the serialisation, which precedes each digest."""

UNCOUNTED = "former_dependencies"
_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})


@functools.lru_cache(maxsize=1024)  # A run needs the same files several times.
def checksum(source: str | bytes) -> str:
    """Return the checksum of a migration's source; bytes are read in the encoding they declare.

    Raises:
        SyntaxError: the source is not Python.
    """
    tokens: list[str] = []
    _walk(ast.parse(source), tokens.append)
    text = "\0".join((*tokens, ""))
    return f"{VERSION}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def checksum_on_disk(key: MigrationKey) -> str:
    """Return the checksum of a migration's file; empty if the file does not exist or is invalid."""
    path = migration_file(key)
    try:
        return checksum(path.read_bytes()) if path else ""
    except (SyntaxError, ValueError):
        return ""


def _walk(node: object, emit: Callable[[str], None]) -> None:
    """Emit the tree as tokens; a callback takes half the time of a generator."""
    if isinstance(node, ast.JoinedStr):
        emit("(JoinedStr")
        _walk(list(_join_fstring(node.values)), emit)
        emit(")")
    elif isinstance(node, ast.AST):
        emit(f"({type(node).__name__}")
        is_constant = isinstance(node, ast.Constant)
        for name in node._fields:
            if name in _IGNORED_FIELDS:
                continue
            value = getattr(node, name, None)
            if (value is None and not is_constant) or value == []:
                continue
            emit(name)
            _walk(value, emit)
        emit(")")
    elif isinstance(node, list):
        emit("[")
        for item in node:
            if not _is_uncounted(item):
                _walk(item, emit)
        emit("]")
    else:
        emit(f"{type(node).__name__}:{node!r}")


def _is_uncounted(node: object) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return any(isinstance(item, ast.Name) and item.id == UNCOUNTED for item in targets)


def _join_fstring(values: list[ast.expr]) -> Iterator[ast.expr]:
    """Join adjacent texts of an f-string, which versions of Python split differently."""
    for is_text, group in itertools.groupby(values, lambda value: isinstance(value, ast.Constant)):
        if not is_text:
            yield from group
        elif text := "".join(str(part.value) for part in group if isinstance(part, ast.Constant)):
            yield ast.Constant(text)
