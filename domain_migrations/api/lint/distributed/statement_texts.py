"""The statements that a distributed domain gets, those in functions' bodies too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....domains import QualifiedName
from ....engine.sql.lexer import Token, statements
from ....engine.sql.words import Words
from ..script import MigrationScript, Statement


class Text(NamedTuple):
    """A statement of a migration, or one in the body of a function that it creates."""

    words: Words
    place: Statement
    in_body: bool


def texts(script: MigrationScript) -> Iterator[Text]:
    """Yield the statements, those of bodies after the statement that has the body."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        yield Text(words, statement, in_body=False)
        for body in bodies(words):
            for part in statements(body.text, procedural=True):
                yield Text(Words(part.source, part.tokens), statement, in_body=True)


def bodies(words: Words) -> Iterator[Token]:
    """Yield the strings of code in ``CREATE FUNCTION``, ``CREATE PROCEDURE`` and ``DO``."""
    start = Words(words.source, words.tokens)
    if start.take("do"):
        yield from (token for token in start.rest if token.kind == "string")
    elif start.take("create"):
        start.take("or", "replace")
        if start.take("function") or start.take("procedure"):
            pairs = zip(start.rest, start.rest[1:], strict=False)
            yield from (
                body for word, body in pairs if word.is_word("as") and body.kind == "string"
            )


def calls(tokens: Sequence[Token]) -> Iterator[tuple[str, Sequence[Token]]]:
    """Yield the names of called functions, each with the tokens of its arguments."""
    for at, token in enumerate(tokens[:-1]):
        if token.is_name and tokens[at + 1].is_operator("("):
            inner = Words("", tokens[at + 1 :])
            yield token.text, inner.skip_group()


def qualified_names(tokens: Sequence[Token]) -> Iterator[tuple[int, QualifiedName]]:
    """Yield the pairs of names with a dot between them, and their positions."""
    for at in range(len(tokens) - 2):
        schema, dot, name = tokens[at : at + 3]
        if schema.is_name and dot.is_operator(".") and name.is_name:
            yield at, QualifiedName(schema.text, name.text)


def row_changes(words: Words) -> Iterator[tuple[str, QualifiedName, frozenset[str]]]:
    """Yield what a statement does to rows: the kind, the table, and the names that SET mentions."""
    for at in range(len(words.tokens)):
        here = Words(words.source, words.tokens)
        here.at = at
        if here.take("insert", "into") or here.take("merge", "into"):
            kind = "insert"
        elif here.take("delete", "from"):
            kind = "delete"
        elif at in (0,) or not words.tokens[at - 1].is_word(
            "for", "on", "or", "after", "before", "do"
        ):
            if not here.take("update"):
                continue
            kind = "update"
        else:
            continue
        here.take("only")
        table = here.name()
        if table and not (kind == "update" and table.name == "set"):
            names = frozenset(token.text for token in here.rest if token.is_name)
            yield kind, table, names
