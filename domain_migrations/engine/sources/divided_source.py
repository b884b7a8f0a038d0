"""The source of a large migration, divided so that it need not be parsed at once.

A syntax tree takes sixty times the memory of its source. The migration of an inspected schema with
a thousand tables has two megabytes.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

LARGE = 2**18
"""The length from which a source is divided."""

MOST = 2**16
"""The largest part; a longer operation stays in the outline, where those in it are parts."""

OPENING = re.compile(r"( +)migrations\.[A-Z]\w*\(")
NAME = "_PART_{}_"
PREFIX = "_PART_"


FindPart = Callable[[str], ast.expr | None]
"""Returns the expression for which a name stands; None for other names."""


def no_part(_name: str) -> ast.expr | None:
    """Find nothing, in a source that is not divided."""
    return None


@dataclass(frozen=True)
class DividedSource:
    """A source without some of its operations, each of which is a call that is listed.

    Attributes:
        outline: the source with a name and a comma in place of each part, on the same line.
        parts: name → the call.
    """

    outline: str
    parts: Mapping[str, str]

    def tree(self) -> ast.Module:
        """Return the tree of the outline.

        Raises:
            SyntaxError: it is not Python, or a part is not an expression but inside a string.
        """
        tree = ast.parse(self.outline)
        names = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        if any(names[name] != 1 for name in self.parts):
            raise SyntaxError("a part is not an expression")
        return tree

    def expression(self, name: str) -> ast.expr:
        """Return the part that a name in the outline stands for.

        Raises:
            SyntaxError: it is not one call.
        """
        text = self.parts[name]
        node = ast.parse(text, mode="eval").body
        if not isinstance(node, ast.Call):
            raise SyntaxError(f"not a call: {text[:60]}")
        return node

    def find(self, name: str) -> ast.expr | None:
        """Return the part for which a name stands, None for any other name."""
        return self.expression(name) if name in self.parts else None


def divide(source: str | bytes) -> DividedSource | None:
    """Divide a source; None for a small one, and for one in which nothing can be divided."""
    if len(source) < LARGE:
        return None
    text = _decoded(source) if isinstance(source, bytes) else source
    if text is None or PREFIX in text:
        return None
    lines = text.split("\n")
    parts: dict[str, str] = {}
    outline: list[str] = []
    at = 0
    while at < len(lines):
        if end := _end_of_part(lines, at):
            name = NAME.format(len(parts))
            parts[name] = "\n".join(lines[at:end]).strip().removesuffix(",")
            indent = lines[at][: -len(lines[at].lstrip())]
            # The lines after it keep their numbers.
            outline += [f"{indent}{name},", *[""] * (end - at - 1)]
            at = end
        else:
            outline.append(lines[at])
            at += 1
    return DividedSource("\n".join(outline), parts) if parts else None


def _end_of_part(lines: Sequence[str], at: int) -> int:
    """Return the index after the call that begins with a line; 0 if none does."""
    opening = OPENING.fullmatch(lines[at])
    before = lines[at - 1] if at else ""
    if opening is None or not before.endswith(("[", ",")) or "#" in before:
        return 0
    size, closing = 0, f"{opening[1]}),"
    for number in range(at, len(lines)):
        size += len(lines[number])
        if size > MOST:
            return 0
        if lines[number] == closing:
            return number + 1
    return 0


def _decoded(source: bytes) -> str | None:
    lines: Iterator[bytes] = iter(source[:1000].splitlines(keepends=True))
    try:
        encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
        return source.decode() if encoding == "utf-8" else None
    except (SyntaxError, UnicodeDecodeError):
        return None
