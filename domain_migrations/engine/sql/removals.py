"""SQL that removes or renames what running code may still use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .lexer import split_string, statements
from .words import Words

REMOVED = (("foreign", "table"), ("table",), ("materialized", "view"), ("view",), ("schema",))
VIEW_MODIFIERS = ("or", "replace", "temp", "temporary", "recursive", "materialized")
MAY_REMOVE = re.compile(r"drop|rename|schema|\bdo\b", re.IGNORECASE)
"""What removes something has one of the words; a string in a DO block may spell it otherwise."""
PLACEHOLDER = re.compile(r"%\(\w+\)s|%s|\{\w*\}")
VIEWS = (("materialized", "view"), ("view",))


def removes(sql: str) -> bool:
    """Return whether SQL drops, moves or renames a table, a view, a column or a schema.

    Constraints and indexes may be removed while old code runs. A view that is dropped and created
    again has only changed. Parts that are not known are question marks or placeholders.
    """
    sql = PLACEHOLDER.sub("?", sql)
    if not MAY_REMOVE.search(sql):
        return False
    found = list(_statements(sql))
    created = {name for words in found if (name := _created_view(words))}
    return any(_is_removal(words, created) for words in found)


def _statements(sql: str) -> Iterator[Words]:
    """Yield the statements of a text, and those of its ``DO`` blocks."""
    for text in split_string(sql):
        words = Words.of(text)
        if not words.take("do"):
            yield words
            continue
        for body in (token.text for token in words.rest if token.kind == "string"):
            for fragment in statements(body, procedural=True):
                inner = Words(fragment.source, fragment.tokens)
                if not inner.take("execute"):
                    yield inner
                    continue
                for token in inner.rest:
                    if token.kind == "string":
                        yield from _statements(token.text)


def _created_view(words: Words) -> str:
    if not words.take("create"):
        return ""
    words.skip(*VIEW_MODIFIERS)
    if not words.take("view"):
        return ""
    words.take("if", "not", "exists")
    return _name(words)


def _is_removal(words: Words, created_views: set[str]) -> bool:
    words.at = 0
    if words.take("drop"):
        return _drops(words, created_views)
    if not words.take("alter"):
        return False
    is_table = words.take("foreign", "table") or words.take("table")
    if not is_table:
        kind = "" if words.take("materialized", "view") else words.identifier()
        if kind.lower() == "index":
            return False
    words.take("if", "exists")
    words.take("only")
    _name(words)
    words.sign("*")
    if words.take("rename"):
        return not words.take("constraint")
    if words.has("set", "schema"):
        return True
    actions = list(words.parts())
    if is_table:
        return any(action.take("drop") and not action.take("constraint") for action in actions)
    return any(action.take("drop", "attribute") for action in actions)


def _drops(words: Words, created_views: set[str]) -> bool:
    is_view = any(words.take(*kind) for kind in VIEWS)
    if not is_view:
        return any(words.take(*kind) for kind in REMOVED)
    words.take("if", "exists")
    names = [_name(words)]
    while words.sign(","):
        names.append(_name(words))
    return not created_views.issuperset(names)


def _name(words: Words) -> str:
    """Read a name, of which parts may not be known."""
    parts: list[str] = []
    while words.rest:
        parts.append(words.rest[0].text)
        words.at += 1
        if not words.sign("."):
            break
    return ".".join(parts)
