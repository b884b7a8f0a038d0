"""SQL that a function runs as text: EXECUTE, DO, CREATE FUNCTION and arguments of functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .text_values import (
    NO_TOKEN,
    PLACEHOLDER,
    SPECIFIER,
    Call,
    TextValue,
    Tokens,
    calls,
    text_value,
)

SQL_ARGUMENT_FUNCTIONS = (
    "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat", "ts_rewrite",
    "dblink", "dblink_exec", "dblink_open", "dblink_send_query", "crosstab", "schedule",
    "schedule_in_database", "run_command_on_workers", "run_command_on_all_nodes",
)  # fmt: skip
"""Functions that run a string as SQL."""

LOOKS_LIKE_SQL = re.compile(
    r"\s*(?:(?:select|with|insert|update|delete|merge|truncate|create|alter|drop|table|lock|copy"
    r"|grant|revoke|comment|refresh|reindex|analyze|vacuum|call|do|set|from|join|where|returning)\b"
    r'|(?:"[^"]+"|\w+)\.(?:"[^"]+"|\w+)\s*$)',
    re.IGNORECASE,
)


class ExecutedText(NamedTuple):
    """A text that is run as SQL.

    Attributes:
        is_procedural: whether it is PL/pgSQL.
        is_computed: whether more than constants make it.
    """

    text: str
    is_procedural: bool = False
    is_computed: bool = False


def is_execute(found: Tokens, i: int) -> bool:
    """Return whether a token begins EXECUTE of a text, not a privilege or a trigger's function."""
    after = found[i + 1] if i + 1 < len(found) else NO_TOKEN
    return found[i].is_word("execute") and not after.is_word("on", "function", "procedure")


def executed_texts(found: Tokens, *, runs_text: bool) -> Iterator[ExecutedText]:
    """Yield the texts in a statement that are run as SQL.

    Arguments:
        runs_text: whether the function executes texts anywhere: then a text that looks like SQL
            or is a name alone counts, because a variable may take it there.
    """
    for call in calls(found):
        if call.name in SQL_ARGUMENT_FUNCTIONS:
            yield from _argument_texts(call)
    at = next((i for i in range(len(found)) if is_execute(found, i)), None)
    if at is not None:  # What follows the text is a value.
        text, is_computed = text_value(_up_to(found[at + 1 :], "into", "using"))
        yield ExecutedText(text, is_computed=is_computed)
        return
    first = found[0]
    strings = [token.text for token in found if token.kind == "string"]
    if first.is_word("do") or _creates_routine(found):
        yield from (ExecutedText(text, is_procedural=True) for text in strings)
    elif runs_text and not first.is_word("raise"):
        for text in filter(LOOKS_LIKE_SQL.match, strings):
            yield ExecutedText(SPECIFIER.sub(PLACEHOLDER, text))


def _creates_routine(found: Tokens) -> bool:
    words = [token.text for token in found[:4] if not token.is_word("or", "replace")]
    return words[0] == "create" and words[1:2] in (["function"], ["procedure"])


def _argument_texts(call: Call) -> Iterator[ExecutedText]:
    """Yield the arguments that look like SQL; all if none does."""
    values: list[TextValue] = [text_value(value) for _, value in call.arguments]
    if call.name == "ts_rewrite" and len(values) == 3:
        return  # Three queries of a text search.
    for text, is_computed in [v for v in values if LOOKS_LIKE_SQL.match(v.text)] or values:
        yield ExecutedText(text, is_computed=is_computed)


def _up_to(found: Tokens, *words: str) -> Tokens:
    """Return the tokens before the first of the words that is outside of parentheses."""
    level = 0
    for i, token in enumerate(found):
        level += token.is_operator("(") - token.is_operator(")")
        if not level and token.is_word(*words):
            return found[:i]
    return found
