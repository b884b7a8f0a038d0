"""Migrations that take away what running code may still use, and do not say when.

Found by their files' syntax trees. What a tree does not tell, such as an operation of a
project's own, is not found.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...conf import get_settings
from ...domains import Domain, get_domains
from .files import MigrationKey, is_installed, migration_files
from .parsing import assignments, migration_body, read_header

HINTS = (b"removefield", b"deletemodel", b"rename", b"altermodeltable", b"drop")
SUSPICIOUS = re.compile(
    rb"removefield|deletemodel|renamefield|renamemodel|altermodeltable|\bdrop\b|\brename\b"
)
"""A file without a removal does not match, most often; parsing takes a hundred times as long, and
matching ten times as long as looking for the hints."""

Names = dict[str, ast.expr]

REMOVAL_PHRASES = {
    "RemoveField": ("removes the field {}.{}", ("model_name", "name")),
    "RemoveFieldIfPresent": ("removes the field {}.{}", ("model_name", "name")),
    "DeleteModel": ("deletes the model {}", ("name",)),
    "RenameField": ("renames the field {}.{}", ("model_name", "old_name")),
    "RenameModel": ("renames the model {}", ("old_name",)),
    "AlterModelTable": ("renames the table of {}", ("name",)),
}
"""Operation → what it does, and its arguments in their order; the first one is the model."""

# Constraints and indexes may go while old code runs: it asks for less then.
SQL_REMOVAL = re.compile(
    r"\bDROP\s+(?:TABLE|COLUMN|VIEW|MATERIALIZED\s+VIEW|SCHEMA)\b|\bRENAME\s+(?!CONSTRAINT\b)", re.I
)
RENAMES_INDEX = re.compile(r"\s*ALTER\s+INDEX\b", re.I)
# What is made again in the same breath has only been changed.
RECREATED_VIEW = re.compile(r"\bCREATE\s+(?:MATERIALIZED\s+)?VIEW\b", re.I)
DROPPED_VIEW = re.compile(r"\bDROP\s+(?:MATERIALIZED\s+)?VIEW\b", re.I)


@dataclass(frozen=True)
class Removal:
    """A migration without a stage that takes something away.

    Attributes:
        what: what it does, as the rest of a sentence.
    """

    key: MigrationKey
    description: str


def unstaged_removals(domains: Sequence[Domain] | None = None) -> Iterator[Removal]:
    """Yield the first removal of each migration that has one and declares no stage.

    Left out are migrations of installed packages, squashed ones, which run on fresh databases
    only, and those that the setting ``STAGES_REQUIRED_AFTER`` counts to the past.
    """
    past = get_settings().stages_required_after
    for domain in get_domains() if domains is None else domains:
        for label in domain.app_labels:
            until = past.get(label, "")
            for path in migration_files(label):
                if until and (path.stem <= until or path.stem.startswith(until)):
                    continue
                if what := _unstaged(path):
                    yield Removal(MigrationKey(label, path.stem), what)


def _unstaged(path: Path) -> str | None:
    if is_installed(path):
        return None
    source = path.read_bytes()
    lower = source.lower()
    if not any(hint in lower for hint in HINTS) or not SUSPICIOUS.search(lower):
        return None
    says = read_header(path)
    if says.stage is not None or says.replaces:
        return None
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError):
        return None  # Django says so itself when it imports the file.
    return next(_removals(tree), None)


def _removals(tree: ast.Module) -> Iterator[str]:
    names = dict(assignments(tree.body))
    found = dict(assignments(migration_body(tree))).get("operations")
    made: set[str] = set()
    for call in _operations(found, names):
        name = _name(call.func)
        if name == "CreateModel":
            made.update(text.lower() for text in _texts(call, ("name",)))
        elif name == "RunSQL":
            if _removes(_sql(call, names)):
                yield "drops or renames something by SQL"
        elif name in REMOVAL_PHRASES:
            words, arguments = REMOVAL_PHRASES[name]
            texts = _texts(call, arguments)
            if texts[0].lower() not in made:
                yield words.format(*texts)


def _operations(node: ast.expr | None, names: Names) -> Iterator[ast.Call]:
    """Yield the calls in a list of operations that change the database."""
    if isinstance(node, ast.List | ast.Tuple):
        for part in node.elts:
            yield from _operations(part, names)
    elif isinstance(node, ast.Starred):
        yield from _operations(node.value, names)
    elif isinstance(node, ast.BinOp):
        yield from _operations(node.left, names)
        yield from _operations(node.right, names)
    elif isinstance(node, ast.Name) and node.id in names:
        yield from _operations(names[node.id], {**names, node.id: ast.Constant(None)})
    elif isinstance(node, ast.Call):
        if _name(node.func) == "SeparateDatabaseAndState":
            yield from _operations(_argument(node, 0, "database_operations"), names)
        else:
            yield node


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _texts(call: ast.Call, arguments: Iterable[str]) -> list[str]:
    values = [_argument(call, position, name) for position, name in enumerate(arguments)]
    return [str(value.value) if isinstance(value, ast.Constant) else "?" for value in values]


def _sql(call: ast.Call, names: Names) -> str:
    """Return what the tree tells of the SQL that runs forwards."""
    node = _argument(call, 0, "sql")
    if isinstance(node, ast.Name):
        node = names.get(node.id)
    parts = ast.walk(node) if node is not None else ()
    return ";".join(
        part.value
        for part in parts
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def _removes(sql: str) -> bool:
    if RECREATED_VIEW.search(sql):
        sql = DROPPED_VIEW.sub("", sql)
    return any(
        SQL_REMOVAL.search(statement) and not RENAMES_INDEX.match(statement)
        for statement in sql.split(";")
    )
