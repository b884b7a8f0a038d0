"""The serialisation of Python's syntax trees, of which checksums are digests.

It is our own, because ``ast.dump`` differs between versions of Python: tokens that end with a null
character each. Empty lists and missing values are left out. The functions beside :func:`serialise`
return the same for source that is being written, which nobody has to parse.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})
_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in _IGNORED_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def serialise(tree: ast.AST, uncounted: Collection[str] = ()) -> str:
    """Return the serialisation of a tree.

    Arguments:
        uncounted: names whose assignments are left out.
    """
    found = _Serialisation(uncounted)
    found.add(tree)
    return "".join(found.tokens)


class _Serialisation:
    def __init__(self, uncounted: Collection[str]) -> None:
        self.uncounted = uncounted
        self.tokens: list[str] = []

    def add(self, node: object) -> None:
        """Add a node, or a list or a value in one."""
        kind, emit = type(node), self.tokens.append
        if isinstance(node, ast.Constant):
            emit(constant(node.value))
        elif isinstance(node, list):
            emit("[\0")
            for item in node:
                if not (isinstance(item, ast.Assign) and self._is_uncounted(item)):
                    self.add(item)
            emit("]\0")
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

    def _is_uncounted(self, node: ast.Assign) -> bool:
        return any(
            isinstance(item, ast.Name) and item.id in self.uncounted for item in node.targets
        )


def _join_fstring(values: list[ast.expr]) -> Iterator[ast.expr]:
    """Join adjacent texts of an f-string, which versions of Python split differently."""
    for is_text, group in itertools.groupby(values, lambda value: isinstance(value, ast.Constant)):
        if not is_text:
            yield from group
        elif text := "".join(str(part.value) for part in group if isinstance(part, ast.Constant)):
            yield ast.Constant(text)


@lru_cache(maxsize=4096)  # Files that are written repeat the names of functions and classes.
def expression(source: str) -> str:
    """Return the serialisation of an expression.

    Raises:
        SyntaxError: it is not Python.
    """
    return serialise(ast.parse(source, mode="eval").body)


def constant(value: object) -> str:
    """Return the serialisation of a string, a number, None …"""
    return f"(Constant\0value\0{type(value).__name__}:{value!r}\0)\0"


def call(function: str, arguments: Iterable[str], keywords: Iterable[tuple[str, str]]) -> str:
    """Return the serialisation of a call; everything but names is serialised already."""
    named = [f"(keyword\0arg\0str:{name!r}\0value\0{value})\0" for name, value in keywords]
    inner = f"{_items('args', arguments)}{_items('keywords', named)}"
    return f"(Call\0func\0{function}{inner})\0"


def sequence(kind: type[ast.List] | type[ast.Tuple], elements: Iterable[str]) -> str:
    """Return the serialisation of a list or a tuple of elements that are serialised already."""
    return f"({kind.__name__}\0{_items('elts', elements)})\0"


def mapping(keys: Iterable[str], values: Iterable[str]) -> str:
    """Return the serialisation of a dictionary; keys and values are serialised already."""
    return f"(Dict\0{_items('keys', keys)}{_items('values', values)})\0"


def _items(name: str, items: Iterable[str]) -> str:
    joined = "".join(items)
    return f"{name}\0[\0{joined}]\0" if joined else ""
