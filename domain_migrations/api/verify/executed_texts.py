"""SQL that a function runs as text: EXECUTE, DO, CREATE FUNCTION and arguments of functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...engine.sql.lexer import Token

SQL_ARGUMENT_FUNCTIONS = (
    "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat", "ts_rewrite",
    "dblink", "dblink_exec", "dblink_open", "dblink_send_query", "crosstab", "schedule",
)  # fmt: skip
"""Functions that run a string as SQL."""

PLACEHOLDER = re.compile(r"%(?:(?P<position>\d+)\$)?-?\d*(?P<kind>[ILs])")
LOOKS_LIKE_SQL = re.compile(
    r"\s*(?:(?:select|with|insert|update|delete|merge|truncate|create|alter|drop|table|lock|copy"
    r"|grant|revoke|comment|refresh|reindex|analyze|vacuum|call|do|set|from|join|where|returning)\b"
    r'|(?:"[^"]+"|\w+)\.(?:"[^"]+"|\w+)\s*$)',
    re.IGNORECASE,
)
NO_TOKEN = Token("other", "", 0)


class ExecutedText(NamedTuple):
    """A text that is run as SQL.

    Attributes:
        is_procedural: whether it is PL/pgSQL.
        is_computed: whether more than strings make it.
    """

    text: str
    is_procedural: bool = False
    is_computed: bool = False


def is_execute(found: tuple[Token, ...], i: int) -> bool:
    """Return whether a token begins EXECUTE of a text, not a privilege or a trigger's function."""
    after = found[i + 1] if i + 1 < len(found) else NO_TOKEN
    return found[i].is_word("execute") and not after.is_word("on", "function", "procedure")


def executed_texts(found: tuple[Token, ...], *, runs_text: bool) -> Iterator[ExecutedText]:
    """Yield the texts in a statement that are run as SQL.

    Arguments:
        runs_text: whether the function executes texts anywhere: then a text that looks like SQL
            or is a name alone counts, because a variable may take it there.
    """
    first = found[0]
    if first.is_word("raise"):
        return
    is_code = first.is_word("do") or (
        first.is_word("create") and any(token.is_word("function", "procedure") for token in found)
    )
    for i, token in enumerate(found):
        if is_execute(found, i):
            text, is_computed = _executed_text(found[i + 1 :])
            yield ExecutedText(text, is_computed=is_computed)
            return  # What follows is a part of it, or a value.
        if token.kind != "string":
            continue
        if is_code or call_around(found, i) in SQL_ARGUMENT_FUNCTIONS:
            yield ExecutedText(token.text, is_code)
        elif runs_text and LOOKS_LIKE_SQL.match(token.text):
            yield ExecutedText(PLACEHOLDER.sub("placeholder", token.text))


def _executed_text(found: tuple[Token, ...]) -> tuple[str, bool]:
    """Return the text of an EXECUTE, and whether more than strings make it."""
    while len(found) > 1 and found[0].is_operator("(") and found[-1].is_operator(")"):
        found = found[1:-1]
    if len(found) > 1 and found[0].is_word("format") and found[1].is_operator("("):
        arguments, rest = [], found[2:]
        while rest:
            arguments.append(argument(rest))
            rest = rest[len(arguments[-1]) :]
            if not rest or rest[0].is_operator(")"):
                break
            rest = rest[1:]
        template, is_computed = _joined_strings(arguments[0])
        values = [_joined_strings(value) for value in arguments[1:]]
        return _formatted(template, values, is_computed=is_computed)
    end = next((i for i, token in enumerate(found) if token.is_word("into", "using")), len(found))
    return _joined_strings(found[:end])


def _joined_strings(found: Sequence[Token]) -> tuple[str, bool]:
    """Return strings that are joined with ``||``, with a word for anything else."""
    text, is_computed = "", False
    for token in found:
        if token.kind == "string":
            text += token.text
        elif not token.is_operator("||", "(", ")", ","):
            is_computed = True
            text += "" if text.endswith(" placeholder ") else " placeholder "
    return text, is_computed


def _formatted(
    template: str, values: list[tuple[str, bool]], *, is_computed: bool
) -> tuple[str, bool]:
    """Return what ``format()`` makes of a template; anything but a string is a word."""
    computed = [is_computed]
    following = iter(range(len(values)))

    def value(match: re.Match[str]) -> str:
        position = int(match["position"]) - 1 if match["position"] else next(following, -1)
        text, is_text_computed = values[position] if 0 <= position < len(values) else ("", True)
        if match["kind"] == "L":
            return f"'{text}'"
        computed.append(is_text_computed)
        return text or "placeholder"

    return PLACEHOLDER.sub(value, template), any(computed)


def argument(found: tuple[Token, ...]) -> tuple[Token, ...]:
    """Return the tokens up to the comma or parenthesis that ends an argument."""
    level = 0
    for i, token in enumerate(found):
        level += token.is_operator("(") - token.is_operator(")")
        if level < 0 or (not level and token.is_operator(",")):
            return found[:i]
    return found


def call_around(found: tuple[Token, ...], i: int) -> str:
    """Return the name of the function whose argument a token is, "" if it is none."""
    level = 0
    for j in range(i - 1, -1, -1):
        level += found[j].is_operator(")") - found[j].is_operator("(")
        if level < 0:
            level = 0
            if j and found[j - 1].is_name:
                return found[j - 1].text
    return ""
