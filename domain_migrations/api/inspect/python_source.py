"""Python source in the format of ruff, with lines of up to 100 characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True)
class Text:
    """A string."""

    value: str


@dataclass(slots=True)
class Group:
    """A call, a list, a tuple or a dictionary.

    Attributes:
        items: keyword and value; the keyword of a positional argument is "".
        sign: what is between them.
        line: all of it in one line, however long.
    """

    opening: str
    closing: str
    items: tuple[tuple[str, Code], ...]
    sign: str = "="
    line: str = field(init=False)

    def __post_init__(self) -> None:
        sign = self.sign
        items = [
            f"{key}{sign}{one_line(item)}" if key else one_line(item) for key, item in self.items
        ]
        self.line = f"{self.opening}{', '.join(items)}{self.closing}"

    def written_out(self) -> Group:
        """Return the group with the values of names in place of them."""
        items = tuple([(key, _value(item)) for key, item in self.items])
        if all(item is own for (_, item), (_, own) in zip(items, self.items, strict=True)):
            return self
        return Group(self.opening, self.closing, items, self.sign)

    def with_item(self, keyword: str, value: Code) -> Group:
        """Return the group with one more item."""
        return Group(self.opening, self.closing, (*self.items, (keyword, value)), self.sign)


@dataclass(frozen=True)
class Named:
    """A value that has a name in one module, and is written out in another.

    Attributes:
        name: an expression.
    """

    name: str
    value: Group


Code = str | Text | Group | Named
"""Source: an expression that is never split, a string, a group or a name."""


def call(function: str, /, *arguments: Code, **keywords: Code) -> Group:
    """Return a call."""
    items = (*(("", item) for item in arguments), *keywords.items())
    return Group(f"{function}(", ")", items)


def list_of(items: Sequence[Code]) -> Group:
    """Return a list."""
    return Group("[", "]", tuple(("", item) for item in items))


def tuple_of(items: Sequence[Code]) -> Group:
    """Return a tuple."""
    return Group("(", ",)" if len(items) == 1 else ")", tuple(("", item) for item in items))


def literal(value: str) -> str:
    """Return a string's source, with the quotes that ruff prefers."""
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    quote = "'" if value.count('"') > value.count("'") else '"'
    escaped = value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    if not value.isprintable():
        escaped = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in escaped)
    return f"{quote}{escaped}{quote}"


def width(line: str) -> int:
    """Return the columns that a line takes in an editor, as ruff counts them."""
    if line.isascii():
        return len(line)
    return sum(
        0
        if unicodedata.category(sign) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(sign) in "WF"
        else 1
        for sign in line
    )


def dict_of(items: Mapping[str, Code]) -> Group:
    """Return a dictionary with strings as keys."""
    return Group("{", "}", tuple((literal(key), item) for key, item in items.items()), ": ")


def one_line(code: Code) -> str:
    """Return the source in one line, however long."""
    if isinstance(code, str):
        return code
    if isinstance(code, Text):
        return literal(code.value)
    return code.name if isinstance(code, Named) else code.line


def _value(code: Code) -> Code:
    if isinstance(code, Named):
        return code.value
    return code.written_out() if isinstance(code, Group) else code


def statement(prefix: str, code: Code, depth: int = 0, suffix: str = "") -> list[str]:
    """Return the lines of ``prefix`` and an expression, such as of an assignment.

    Arguments:
        depth: of the indentation.
        suffix: what follows the expression.
    """
    found: list[str] = []
    _add_statement(found, prefix, code, INDENT * depth, suffix)
    return found


def _add_statement(lines: list[str], prefix: str, code: Code, indent: str, suffix: str) -> None:
    line = f"{indent}{prefix}{one_line(code)}{suffix}"
    if isinstance(code, str | Named) or width(line) <= WIDTH:
        lines.append(line)
        return
    if isinstance(code, Text):
        lines += _long_text(prefix, code.value, indent, suffix)
        return
    if not code.items:
        lines.append(line)
        return
    lines.append(f"{indent}{prefix}{code.opening}")
    inner = indent + INDENT
    if len(code.items) == 1 and not code.items[0][0] and isinstance(code.items[0][1], Text):
        pieces = _pieces(code.items[0][1].value, WIDTH - len(inner))
        lines += [f"{inner}{piece}" for piece in pieces]
    else:
        for key, item in code.items:
            _add_statement(lines, f"{key}{code.sign}" if key else "", item, inner, ",")
    lines.append(f"{indent}{code.closing.removeprefix(',')}{suffix}")


def _long_text(prefix: str, value: str, indent: str, suffix: str) -> Iterator[str]:
    """Yield a string in parentheses, split at its spaces."""
    inner = indent + INDENT
    limit = WIDTH - len(inner)
    pieces = list(_pieces(value, limit))
    if len(pieces) == 1 and width(pieces[0]) > limit:
        yield f"{indent}{prefix}{pieces[0]}{suffix}"
        return
    yield f"{indent}{prefix}("
    for piece in pieces:
        yield f"{inner}{piece}"
    yield f"{indent}){suffix}"


def _pieces(value: str, limit: int) -> Iterator[str]:
    piece = ""
    for word in value.replace("\n", "\n\0").replace(" ", " \0").split("\0"):
        if piece and width(literal(piece + word)) > limit:
            yield literal(piece)
            piece = ""
        piece += word
    if piece:
        yield literal(piece)
