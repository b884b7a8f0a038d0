"""A migration's checksum: of what the file means to Python, not of how it is laid out.

The digest runs over our own walk of the syntax tree, because ``ast.dump`` prints the same
tree differently from one Python to the next. Formatting and comments do not count. What the
file imports or opens is not covered.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator

VERSION = 1
"""Of the walk below; it stands before each digest and changes with the walk."""

_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})


@functools.lru_cache(maxsize=1024)  # A run asks for the same files several times.
def checksum(source: str | bytes) -> str:
    """Return the checksum of a migration's source; bytes are read in the encoding they declare.

    Raises:
        SyntaxError: the source is not Python.
    """
    digest = hashlib.sha256()
    for token in _walk(ast.parse(source)):
        digest.update(token.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return f"{VERSION}:{digest.hexdigest()}"


def _walk(node: object) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "(JoinedStr"
        yield from _walk(list(_merged(node.values)))
        yield ")"
    elif isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name in node._fields:
            value = getattr(node, name, None)
            if name in _IGNORED_FIELDS or (value is None and not isinstance(node, ast.Constant)):
                continue
            if value == []:
                continue
            yield name
            yield from _walk(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _walk(item)
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r}"


def _merged(values: list[ast.expr]) -> Iterator[ast.expr]:
    """Join neighbouring texts of an f-string, which Pythons cut in different places."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
            continue
        if text:
            yield ast.Constant(text)
        text = ""
        yield value
    if text:
        yield ast.Constant(text)
