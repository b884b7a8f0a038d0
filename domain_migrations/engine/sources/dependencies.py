"""Parts of domain_migrations.engine.sources.dependencies."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from .files import MigrationKey, migration_files
from .parsing import assignments, migration_body

FIRST, LATEST = "__first__", "__latest__"
"""Django's names for the first and the latest migration of an app, in place of a name."""


@dataclass(frozen=True)
class MigrationLinks:
    """What one migration's file says about others."""

    key: MigrationKey
    path: Path
    dependencies: tuple[MigrationKey, ...] = ()
    run_before: tuple[MigrationKey, ...] = ()


def parse_links(app_label: str, path: Path, source: bytes | None = None) -> MigrationLinks:
    """Return what a migration's file says; nothing where it cannot be parsed."""
    key = MigrationKey(app_label, path.stem)
    try:
        tree = ast.parse(path.read_bytes() if source is None else source)
    except SyntaxError:
        return MigrationLinks(key, path)  # Django says so itself when it imports the file.
    names = dict(assignments(tree.body))
    found = dict(assignments(migration_body(tree)))
    return MigrationLinks(
        key,
        path,
        tuple(_keys(found.get("dependencies"), names)),
        tuple(_keys(found.get("run_before"), names)),
    )


def dependencies_of(key: MigrationKey) -> tuple[MigrationKey, ...]:
    """Return what an installed migration depends on; nothing where there is no file of it."""
    label, name = key
    paths = migration_files(label)
    return next((parse_links(label, path).dependencies for path in paths if path.stem == name), ())


def _keys(node: ast.expr | None, names: dict[str, ast.expr]) -> Iterator[MigrationKey]:
    """Yield the migrations that an expression stands for, as far as it tells."""
    if isinstance(node, ast.List | ast.Tuple):
        texts = [_text(part, names) for part in node.elts]
        if isinstance(node, ast.Tuple) and len(texts) == 2 and None not in texts:
            yield MigrationKey(str(texts[0]), str(texts[1]))
            return
        for part in node.elts:
            yield from _keys(part.value if isinstance(part, ast.Starred) else part, names)
    elif isinstance(node, ast.BinOp):
        yield from _keys(node.left, names)
        yield from _keys(node.right, names)
    elif isinstance(node, ast.Name) and node.id in names:
        yield from _keys(names.pop(node.id), names)
    elif isinstance(node, ast.Call) and node.args:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        target = _text(node.args[0], names)
        if name == "swappable_dependency" and target:
            yield MigrationKey(target.split(".", 1)[0].lower(), FIRST)


def _text(node: ast.expr, names: dict[str, ast.expr]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return _text(names[node.id], {})
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        value = getattr(settings, node.attr, None) if node.value.id == "settings" else None
        return value if isinstance(value, str) else None
    return None
