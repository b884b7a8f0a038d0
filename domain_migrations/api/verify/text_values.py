"""The values of SQL expressions of type text, as far as their constants tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...engine.sql.lexer import Token
from ...engine.sql.literals import quote_literal

Tokens = tuple[Token, ...]

NO_TOKEN = Token("other", "", 0)
PLACEHOLDER = "placeholder"
"""The word in a text for what is not known."""

UNKNOWN = f" {PLACEHOLDER} "
SIMPLE_NAME = re.compile(r"[a-z_][a-z0-9_$]*")

SPECIFIER = re.compile(r"%(?:(?P<position>\d+)\$)?-?\d*(?P<kind>[ILs])")


class TextValue(NamedTuple):
    """A text.

    Attributes:
        is_computed: whether more than constants make it.
    """

    text: str
    is_computed: bool = False


NOT_KNOWN = TextValue(UNKNOWN, is_computed=True)


def text_value(found: Tokens) -> TextValue:
    """Return the value of an expression, with a word for what is not known."""
    return _concatenated([_operand_value(part) for part in split_at(found, "||")])


def _operand_value(found: Tokens) -> TextValue:
    found = _without_casts(found)
    if len(found) == 1 and found[0].kind == "string":
        return TextValue(found[0].text)
    for call in calls(found):
        if call.end == len(found) and all(
            t.is_name or t.is_operator(".") for t in found[: call.at]
        ):
            if not call.at and not call.name:
                return text_value(found[1:-1])
            if call.name == "cast":
                return text_value(call.cast_parts[0])
            if call.name in FUNCTIONS:
                return FUNCTIONS[call.name]([text_value(value) for _, value in call.arguments])
        break
    return _joined_constants(found)


def _joined_constants(found: Tokens) -> TextValue:
    """Return the constants of an expression, with a word for anything else in it."""
    text, is_computed = "", False
    for token in found:
        if token.kind == "string":
            text += token.text
        elif token.is_word("true", "false", "null") or token.raw[0].isdigit():
            text += token.raw
        elif not token.is_operator("||", "(", ")", ","):
            is_computed = True
            text += "" if text.endswith(UNKNOWN) else UNKNOWN
    return TextValue(text, is_computed)


def _without_casts(found: Tokens) -> Tokens:
    """Return the operand of the casts with ``::`` at the end."""
    level = 0
    for i, token in enumerate(found):
        level += token.is_operator("(", "[") - token.is_operator(")", "]")
        if not level and token.is_operator("::"):
            return found[:i]
    return found


def _concatenated(values: list[TextValue], separator: str = "") -> TextValue:
    text = separator.join(value.text for value in values)
    return TextValue(text, any(value.is_computed for value in values))


def _concatenated_with_separator(values: list[TextValue]) -> TextValue:
    first, *rest = values or [NOT_KNOWN]
    return _concatenated(rest, first.text)


def _identifier(values: list[TextValue]) -> TextValue:
    text, is_computed = values[0] if values else NOT_KNOWN
    if is_computed or SIMPLE_NAME.fullmatch(text):
        return TextValue(text, is_computed)
    return TextValue('"' + text.replace('"', '""') + '"')


def _literal(values: list[TextValue]) -> TextValue:
    """Return a constant; what it is is not known, but it is a value and names nothing."""
    text = values[0].text if values else ""
    return TextValue(quote_literal(text))


def _replaced(values: list[TextValue]) -> TextValue:
    if len(values) != 3:
        return NOT_KNOWN
    text, old, new = (value.text for value in values)
    return TextValue(text.replace(old, new), any(value.is_computed for value in values))


def _formatted(values: list[TextValue]) -> TextValue:
    """Return what ``format()`` makes of a template."""
    template, *arguments = values or [NOT_KNOWN]
    computed = [template.is_computed]
    following = iter(range(len(arguments)))

    def value(match: re.Match[str]) -> str:
        position = int(match["position"]) - 1 if match["position"] else next(following, -1)
        given = arguments[position : position + 1] if position >= 0 else []
        found = SPECIFIERS[match["kind"]](given or [NOT_KNOWN])
        computed.append(found.is_computed)
        return found.text

    return TextValue(SPECIFIER.sub(value, template.text), any(computed))


SPECIFIERS: dict[str, Callable[[list[TextValue]], TextValue]] = {
    "s": _concatenated,
    "I": _identifier,
    "L": _literal,
}
FUNCTIONS: dict[str, Callable[[list[TextValue]], TextValue]] = {
    "concat": _concatenated,
    "concat_ws": _concatenated_with_separator,
    "format": _formatted,
    "quote_ident": _identifier,
    "quote_literal": _literal,
    "quote_nullable": _literal,
    "replace": _replaced,
}
"""Functions of texts whose value follows from their arguments."""


class Call(NamedTuple):
    """A call of a function, or a group in parentheses.

    Attributes:
        found: the tokens of the statement.
        name: of the function, without its schema; "" for a group.
        at: the position of the name, or of a group's parenthesis.
    """

    found: Tokens
    name: str
    at: int

    @property
    def start(self) -> int:
        """The position after the parenthesis that opens it."""
        return self.at + bool(self.name) + 1

    @property
    def end(self) -> int:
        """The position after the parenthesis that closes it."""
        level = 0
        for i in range(self.start - 1, len(self.found)):
            level += self.found[i].is_operator("(") - self.found[i].is_operator(")")
            if not level:
                return i + 1
        return len(self.found) + 1

    @property
    def arguments(self) -> list[tuple[str, Tokens]]:
        """The arguments, each with its name, which is "" if it is given by position."""
        inside = self.found[self.start : self.end - 1]
        return [_argument(part) for part in split_at(inside, ",")] if inside else []

    @property
    def cast_parts(self) -> tuple[Tokens, Tokens]:
        """The operand and the type of ``CAST (… AS …)``."""
        inside = self.found[self.start : self.end - 1]
        at = next((i for i, token in enumerate(inside) if token.is_word("as")), len(inside))
        return inside[:at], inside[at + 1 :]


def calls(found: Tokens) -> Iterator[Call]:
    """Yield the calls and the groups of a statement, those within others too."""
    for i, token in enumerate(found):
        if token.is_operator("("):
            is_call = i > 0 and found[i - 1].is_name
            yield Call(found, found[i - 1].text if is_call else "", i - is_call)


def _argument(found: Tokens) -> tuple[str, Tokens]:
    if len(found) > 1 and found[0].is_name and found[1].is_operator("=>", ":="):
        return found[0].text, found[2:]
    return "", found


def split_at(found: Tokens, sign: str) -> list[Tokens]:
    """Split an expression at an operator outside of parentheses."""
    parts, level, start = [], 0, 0
    for i, token in enumerate(found):
        level += token.is_operator("(", "[") - token.is_operator(")", "]")
        if not level and token.is_operator(sign):
            parts.append(found[start:i])
            start = i + 1
    return [*parts, found[start:]]
