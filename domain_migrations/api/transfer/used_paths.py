"""The dotted paths that a module uses."""

from __future__ import annotations

import ast
import importlib.util


def used_paths(content: bytes, name: str, *, is_package: bool) -> set[str]:
    """Return the absolute dotted paths of what a module imports and uses.

    What a module imports from the modules beside it and does not use, it only hands on.

    Arguments:
        name: the module's dotted name.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return set()  # Python reports it to whoever imports the module.
    package = name if is_package else name.rpartition(".")[0]
    bound: dict[str, set[str]] = {}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                origin = alias.name if alias.asname else alias.name.partition(".")[0]
                bound.setdefault(alias.asname or origin, set()).add(origin)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            for alias in node.names:
                path = f"{module}.{alias.name}"
                bound.setdefault(alias.asname or alias.name, set()).add(path)
                if not f"{module}.".startswith(f"{package}."):
                    found.add(path)
    for node in ast.walk(tree):
        chain: list[str] = []
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            chain.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in bound:
            found |= {".".join([origin, *chain]) for origin in bound[inner.id]}
    return found


def _absolute(node: ast.ImportFrom, package: str) -> str:
    try:
        return importlib.util.resolve_name("." * node.level + (node.module or ""), package or None)
    except ImportError:
        return node.module or ""
