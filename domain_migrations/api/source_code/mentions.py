"""Places of the project's code that name a table in SQL, which only people can judge."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...engine.sources.files import is_installed

SQL = re.compile(
    r"\b(select|from|join|into|update|table|delete|truncate|references|trigger|view|index)\b", re.I
)


@dataclass(frozen=True)
class Mention:
    """A line of a text in Python source that names a table without its schema.

    Attributes:
        line: the line's number in the file; where the text begins, if the text has other lines.
        in_migration: whether it is in a migration of an adopted app.
    """

    path: Path
    line: int
    table: str
    text: str
    in_migration: bool

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "path": str(self.path)}


def find_mentions(
    folders: Iterable[Path],
    tables: Iterable[str],
    planned: Mapping[Path, bytes],
    migrations: Iterable[Path],
) -> Iterator[Mention]:
    """Yield the mentions of tables, in the order of the files.

    Arguments:
        folders: those of the project's apps.
        tables: bare names.
        planned: the contents of the files that are edited, as they will be.
        migrations: the folders of the adopted apps' migrations.
    """
    names = "|".join(re.escape(table) for table in sorted(tables, key=len, reverse=True))
    if not names:
        return
    pattern = re.compile(rf'(?:\bpublic"?\."?|(?<![\w.])(?<!\."))({names})(?!\w)')
    in_migrations = tuple(migrations)
    found_in = (path for folder in folders for path in folder.rglob("*.py"))
    paths = {path for path in found_in if not is_installed(path)}
    for path in sorted(paths):
        content = planned[path] if path in planned else path.read_bytes()
        within = any(folder in path.parents for folder in in_migrations)
        for number, named, line in lines_naming(pattern, content):
            yield Mention(path, number, named[1], line, within)


def lines_naming(
    pattern: re.Pattern[str], source: bytes
) -> Iterator[tuple[int, re.Match[str], str]]:
    """Yield the lines of a module's texts that match, where the text is SQL or just the name.

    Each comes as its number, the match, and the line itself.
    """
    if not pattern.search(source.decode("utf-8", "replace")):
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return  # Django reports a module that it cannot import.
    for node in _texts(tree):
        text = str(node.value)
        found = pattern.search(text)
        if found is None or not (SQL.search(text) or found[0] == text.strip('"')):
            continue
        for number, line in _numbered_lines(node, text):
            if named := pattern.search(line):
                yield number, named, line.strip()


def _numbered_lines(node: ast.Constant, text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their numbers in the file."""
    lines = text.split("\n")
    is_as_written = len(lines) == (node.end_lineno or node.lineno) - node.lineno + 1
    for offset, line in enumerate(lines):
        yield node.lineno + (offset if is_as_written else 0), line


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the texts of a module that are not docstrings."""
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            docstrings.add(id(node.value))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node
