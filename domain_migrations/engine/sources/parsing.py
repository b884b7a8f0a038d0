"""What a migration's file says of itself, read from its syntax tree without importing it.

Read once for each version of the file, told by its time and size, so it costs next to nothing
to ask again.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import MigrationKey, migrations_folders, source_stamps

MIGRATION = "Migration"
"""The class that Django takes from a migration's file."""


class NotLiteral:
    """Stands for a value that the syntax tree does not tell."""

    def __repr__(self) -> str:
        return "a computed value"


NOT_LITERAL = NotLiteral()


@dataclass(frozen=True)
class MigrationHeader:
    """What a migration's file says.

    Attributes:
        replaces: the migrations that it stands for, being squashed.
        stage: as written, None where it says nothing, `COMPUTED` where it is no plain text.
    """

    replaces: frozenset[MigrationKey] = frozenset()
    stage: Any = None


EMPTY = MigrationHeader()


def read_header(path: Path | None) -> MigrationHeader:
    """Return what the file says; nothing where it is gone or no Python."""
    try:
        found = path.stat() if path is not None else None
    except FileNotFoundError:
        return EMPTY
    if path is None or found is None:
        return EMPTY
    return _declared(path, found.st_mtime_ns, found.st_size)


def squash_map(app_label: str) -> dict[MigrationKey, frozenset[MigrationKey]]:
    """Return the app's migrations that stand for others, and what each replaces.

    What a whole folder says is kept while no file in it changes: to look into each of very many
    files takes longer than all else that a domain's status needs.
    """
    return {
        MigrationKey(app_label, name): replaces
        for folder in migrations_folders(app_label)
        if folder.is_dir()
        for name, replaces in _squashed(folder, source_stamps(folder))
    }


@functools.lru_cache(maxsize=4096)
def _squashed(
    folder: Path, versions: tuple[tuple[str, int, int], ...]
) -> tuple[tuple[str, frozenset[MigrationKey]], ...]:
    paths = [folder / name for name, *_ in versions]
    return tuple((path.stem, says) for path in paths if (says := read_header(path).replaces))


@functools.lru_cache(maxsize=16384)
def _declared(path: Path, _changed: int, _size: int) -> MigrationHeader:
    source = path.read_bytes()
    # Parsing takes a hundred times as long as searching.
    if b"replaces" not in source and b"stage" not in source:
        return EMPTY
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError):
        return EMPTY  # Django says so itself when it imports the file.
    body = dict(assignments(migration_body(tree)))
    names = dict(assignments(tree.body))
    return MigrationHeader(
        replaces=_keys(_value(body.get("replaces"), names)), stage=_value(body.get("stage"), names)
    )


def migration_body(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements of the class ``Migration``; none where there is no such class."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == MIGRATION:
            return node.body
    return []


def assignments(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that the statements give a value to, and the values."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _value(node: ast.expr | None, names: dict[str, ast.expr]) -> Any:
    if isinstance(node, ast.Name):
        node = names.get(node.id, node)
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError:
        return NOT_LITERAL


def _keys(value: Any) -> frozenset[MigrationKey]:
    pairs = value if isinstance(value, list | tuple | set) else ()
    return frozenset(
        MigrationKey(*pair) for pair in pairs if isinstance(pair, tuple | list) and len(pair) == 2
    )
