"""Headers of migrations: what their files declare, parsed without importing them.

Each version of a file, known by its time and size, is parsed once. What a syntax tree does not
show, such as a computed dependency, is left out.
"""

from __future__ import annotations

import ast
import datetime
import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from .divided_source import FindPart, divide, no_part
from .files import MigrationKey, migration_file, migrations_folders, source_stamps

FORMER = "former_dependencies"
FIRST, LATEST = "__first__", "__latest__"
"""Django's names for the first and the latest migration of an app."""

Names = Mapping[str, ast.expr]
"""The values that are assigned to names at the top of a module."""


class NotLiteral:
    """A value that the syntax tree does not show."""

    def __repr__(self) -> str:
        return "a computed value"


NOT_LITERAL = NotLiteral()
COMPUTED = "?"


class OperationCall(NamedTuple):
    """An operation as a migration's file calls it.

    Attributes:
        arguments: position or keyword → the text of a constant or date, ``COMPUTED`` for anything
            else.
        sql: the forwards SQL of a ``RunSQL``, as far as the tree shows it.
    """

    name: str
    arguments: Mapping[int | str, str]
    sql: str = ""

    def argument(self, position: int, keyword: str) -> str:
        return self.arguments.get(position, self.arguments.get(keyword, COMPUTED))


class ReplacesAndStage(NamedTuple):
    """What a migration's file declares for its deployment.

    Attributes:
        replaces: the migrations that a squashed one replaces.
        stage: as written, None if there is none, ``NOT_LITERAL`` if it is computed.
    """

    replaces: frozenset[MigrationKey] = frozenset()
    stage: Any = None


class MigrationHeader(NamedTuple):
    """The declarations of a migration's file.

    Attributes:
        replaces, stage: as in :class:`ReplacesAndStage`.
        former: the labels of apps on whose migrations those of this app no longer depend.
        operations: those that change the database.
        lines: where each of the listed operations begins, or where a computed list does.
    """

    dependencies: tuple[MigrationKey, ...] = ()
    run_before: tuple[MigrationKey, ...] = ()
    replaces: frozenset[MigrationKey] = frozenset()
    stage: Any = None
    former: frozenset[str] = frozenset()
    operations: tuple[OperationCall, ...] = ()
    lines: tuple[int, ...] = ()


EMPTY = MigrationHeader()


def read_header(path: Path | None) -> MigrationHeader:
    """Return the whole header of a file; an empty one if it does not exist or is not Python."""
    version = _version(path)
    return _parse(*version) if version else EMPTY


def read_replaces_and_stage(path: Path | None) -> ReplacesAndStage:
    """Return a part of a file's header, for which most files need not be parsed."""
    version = _version(path)
    return _parse_if_needed(*version) if version else ReplacesAndStage()


def squash_map(app_label: str) -> dict[MigrationKey, frozenset[MigrationKey]]:
    """Return the app's squashed migrations, and what each replaces.

    Cached until a file in the folder changes, because even opening very many files takes longer
    than everything else that a domain's status needs.
    """
    return {
        MigrationKey(app_label, name): replaces
        for folder in migrations_folders(app_label)
        if folder.is_dir()
        for name, replaces in _squashed(folder, source_stamps(folder))
    }


def header_of(key: MigrationKey) -> MigrationHeader:
    """Return the header of an installed migration; an empty one if it has no file."""
    return read_header(migration_file(key))


def _version(path: Path | None) -> tuple[Path, int, int, str] | None:
    """Return a file and all that its header depends on; None if it does not exist."""
    if path is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return path, found.st_mtime_ns, found.st_size, settings.AUTH_USER_MODEL


@functools.lru_cache(maxsize=4096)
def _squashed(
    folder: Path, stamps: tuple[tuple[str, int, int], ...]
) -> tuple[tuple[str, frozenset[MigrationKey]], ...]:
    paths = [folder / name for name, *_ in stamps]
    squashed = ((path.stem, read_replaces_and_stage(path).replaces) for path in paths)
    return tuple((name, replaces) for name, replaces in squashed if replaces)


@functools.lru_cache(maxsize=16384)
def _parse_if_needed(path: Path, changed: int, size: int, user_model: str) -> ReplacesAndStage:
    source = path.read_bytes()
    # Parsing takes a hundred times as long as searching.
    if b"replaces" not in source and b"stage" not in source:
        return ReplacesAndStage()
    header = _parse(path, changed, size, user_model)
    return ReplacesAndStage(header.replaces, header.stage)


@functools.lru_cache(maxsize=16384)
def _parse(path: Path, _changed: int, _size: int, _user_model: str) -> MigrationHeader:
    source = path.read_bytes()
    if (divided := divide(source)) is not None:
        with suppress(SyntaxError):  # It is not written as it seems to be, or is not Python.
            return _header_of(divided.tree(), divided.find)
    try:
        return _header_of(ast.parse(source, str(path)))
    except (SyntaxError, ValueError):
        return EMPTY  # Django reports it when it imports the file.


def _header_of(tree: ast.Module, find: FindPart = no_part) -> MigrationHeader:
    names = dict(assignments(tree.body))
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    body = dict(next((assignments(node.body) for node in classes if node.name == "Migration"), ()))
    operations = body.get("operations")
    return MigrationHeader(
        dependencies=tuple(_dependencies(body.get("dependencies"), dict(names))),
        run_before=tuple(_dependencies(body.get("run_before"), dict(names))),
        replaces=_replaces(_value(body.get("replaces"), names)),
        stage=_value(body.get("stage"), names),
        former=_labels(_value(body.get(FORMER), names)),
        operations=tuple(_operations(operations, names, find)),
        lines=_lines(operations),
    )


def assignments(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that the statements assign to, and the values."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _value(node: ast.expr | None, names: Names) -> Any:
    if isinstance(node, ast.Name):
        node = names.get(node.id, node)
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError:
        return NOT_LITERAL


def _labels(value: Any) -> frozenset[str]:
    labels = value if isinstance(value, list | tuple | set) else ()
    return frozenset(label for label in labels if isinstance(label, str))


def _replaces(value: Any) -> frozenset[MigrationKey]:
    pairs = value if isinstance(value, list | tuple | set) else ()
    return frozenset(
        MigrationKey(*pair) for pair in pairs if isinstance(pair, tuple | list) and len(pair) == 2
    )


def _dependencies(node: ast.expr | None, names: dict[str, ast.expr]) -> Iterator[MigrationKey]:
    """Yield the migrations that an expression names, as far as the tree shows them."""
    if isinstance(node, ast.List | ast.Tuple):
        texts = [_text(part, names) for part in node.elts]
        if isinstance(node, ast.Tuple) and len(texts) == 2 and None not in texts:
            yield MigrationKey(str(texts[0]), str(texts[1]))
            return
        for part in node.elts:
            yield from _dependencies(part.value if isinstance(part, ast.Starred) else part, names)
    elif isinstance(node, ast.BinOp):
        yield from _dependencies(node.left, names)
        yield from _dependencies(node.right, names)
    elif isinstance(node, ast.Name) and node.id in names:
        yield from _dependencies(names.pop(node.id), names)
    elif isinstance(node, ast.Call) and node.args:
        target = _text(node.args[0], names)
        if _function_name(node) == "swappable_dependency" and target:
            yield MigrationKey(target.split(".", 1)[0].lower(), FIRST)


def _text(node: ast.expr, names: Names) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return _text(names[node.id], {})
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        value = getattr(settings, node.attr, None) if node.value.id == "settings" else None
        return value if isinstance(value, str) else None
    return None


def _operations(node: ast.expr | None, names: Names, find: FindPart) -> Iterator[OperationCall]:
    """Yield the operations in an expression that change the database."""
    if isinstance(node, ast.Name) and (part := find(node.id)) is not None:
        node = part
    if isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            yield from _operations(item, names, find)
    elif isinstance(node, ast.Starred):
        yield from _operations(node.value, names, find)
    elif isinstance(node, ast.BinOp):
        yield from _operations(node.left, names, find)
        yield from _operations(node.right, names, find)
    elif isinstance(node, ast.Name) and node.id in names:
        rest = {**names, node.id: ast.Constant(None)}
        yield from _operations(names[node.id], rest, find)
    elif isinstance(node, ast.Call):
        name, arguments = _function_name(node), _arguments(node)
        if name == "SeparateDatabaseAndState":
            inner = arguments.get(0, arguments.get("database_operations"))
            yield from _operations(inner, names, find)
        else:
            sql = _sql(arguments.get(0, arguments.get("sql")), names) if name == "RunSQL" else ""
            yield OperationCall(name, {key: _constant(arguments[key]) for key in arguments}, sql)


def _function_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _arguments(call: ast.Call) -> dict[int | str, ast.expr]:
    return {
        **dict(enumerate(call.args)),
        **{keyword.arg: keyword.value for keyword in call.keywords if keyword.arg},
    }


def _constant(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and _function_name(node) == "date" and not node.keywords:
        with suppress(ValueError, TypeError):
            return str(datetime.date(*map(ast.literal_eval, node.args)))
    return str(node.value) if isinstance(node, ast.Constant) else COMPUTED


def _sql(node: ast.AST | None, names: Names) -> str:
    """Return the texts in an expression: one statement of a sum or an f-string, else several.

    ``COMPUTED`` is in the place of what the tree does not show.
    """
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Name) and node.id in names:
        return _sql(names[node.id], {**names, node.id: ast.Constant(None)})
    if isinstance(node, ast.BinOp | ast.JoinedStr | ast.FormattedValue):
        parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return "".join(
            _sql(part, names) or ("" if isinstance(part, ast.Constant) else COMPUTED)
            for part in parts
        )
    texts = [text for part in ast.iter_child_nodes(node) if (text := _sql(part, names))]
    return "".join(f"{text};" for text in texts)


def _lines(node: ast.expr | None) -> tuple[int, ...]:
    if isinstance(node, ast.List | ast.Tuple) and node.elts:
        return tuple(part.lineno for part in node.elts)
    return (node.lineno,) if node is not None else ()
