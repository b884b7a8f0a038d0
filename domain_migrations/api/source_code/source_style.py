"""The layout of a project's source: line lengths, and the order of imports."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIGITS = re.compile(r"(\d+)")
LENGTHS = {
    "pyproject.toml": (("tool", "ruff"), ("tool", "black")),
    "ruff.toml": ((),),
    ".ruff.toml": ((),),
}
"""The files that set the length of lines → the tables in them."""


@dataclass(frozen=True)
class Style:
    """How a project lays out its source.

    Attributes:
        line_length: as the formatter has it.
        packages: the top-level packages of the project itself.
    """

    line_length: int = 88
    packages: frozenset[str] = frozenset()

    def section(self, module: str) -> int:
        """Return the place of a module's section, as isort orders them."""
        top = module.partition(".")[0]
        if module.startswith("."):
            return 4
        if top == "__future__":
            return 0
        if top in sys.stdlib_module_names:
            return 1
        return 3 if top in self.packages else 2

    def sort_key(self, module: str, *, is_from: bool) -> tuple[Any, ...]:
        """Return the key of an import statement."""
        name = module.lstrip(".")
        level = len(module) - len(name)
        return self.section(module), is_from, -level, _natural(name)

    def from_import(
        self, module: str, names: Iterable[str], indent: str = "", *, exploded: bool = False
    ) -> str:
        """Return the text of a statement, over several lines if it is too long for one."""
        names = list(names)
        line = f"from {module} import {', '.join(names)}"
        if not exploded and len(indent) + len(line) <= self.line_length:
            return line
        lines = "".join(f"{indent}    {name},\n" for name in names)
        return f"from {module} import (\n{lines}{indent})"


def find_line_length(folder: Path) -> int | None:
    """Return the length of lines that a formatter is configured to, in the folder or above it."""
    for parent in (folder, *folder.parents):
        for name, tables in LENGTHS.items():
            path = parent / name
            if not path.is_file():
                continue
            try:
                document: Any = tomllib.loads(path.read_text())
            except (tomllib.TOMLDecodeError, UnicodeDecodeError):
                continue  # Its own tool reports it.
            for keys in tables:
                table = document
                for key in keys:
                    table = table.get(key, {})
                if isinstance(found := table.get("line-length"), int):
                    return found
        if (parent / ".git").exists():
            break
    return None


def member_key(name: str) -> tuple[int, Any]:
    """Return isort's key of an imported name: constants, classes, and the rest."""
    bare = name.partition(" ")[0]
    if bare.isupper() and len(bare) > 1:
        return 0, _natural(bare)
    return (1 if bare[:1].isupper() else 2), _natural(bare)


def _natural(text: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in DIGITS.split(text)]


def joined_sections(found: list[tuple[Any, str]]) -> str:
    """Return statements with their sort keys as text, with an empty line between sections."""
    parts, section = [], None
    for key, text in found:
        if section not in {None, key[0]}:
            parts.append("\n")
        section = key[0]
        parts.append(f"{text}\n")
    return "".join(parts)


def merged_names(names: list[str], added: list[str]) -> list[str]:
    """Return the names with others, sorted if they were."""
    new = [name for name in added if name not in names]
    is_sorted = names == sorted(names, key=member_key)
    return sorted([*names, *new], key=member_key) if is_sorted else [*names, *new]
