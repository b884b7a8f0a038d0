"""Alterations of tables, columns and foreign keys, parsed from SQL text.

They serve notes on a plan, and errors before anything runs. SQL that is composed on the server
cannot be parsed; the guard sees its effects when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...domains import QualifiedName
from .lexer import statements
from .words import Words

NO_COLUMN = ("constraint", "primary", "unique", "check", "foreign", "exclude", "like")
"""The words that begin a part of a table's definition that is not a column."""


class Alteration(NamedTuple):
    """One change that a statement makes.

    Attributes:
        kind: ``add key``, ``drop constraint``, ``drop column``, ``drop table``, ``rename`` or
            ``type``.
        name: of the constraint or the column, or the table's new one; empty where the server
            chooses it.
        columns: the columns of the foreign key.
        target: the table that the foreign key points at.
        type: the new type of the column.
        not_valid: whether the rows that exist are not compared with the foreign key.
    """

    kind: str
    table: QualifiedName
    name: str = ""
    columns: tuple[str, ...] = ()
    target: QualifiedName | None = None
    type: str = ""
    not_valid: bool = False


def alterations(source: str) -> Iterator[Alteration]:
    """Yield the changes that the statements of a text make, in their order.

    A table without a schema counts as core's, as Django names those.
    """
    for fragment in statements(source, procedural=False):
        words = Words(fragment.source, fragment.tokens)
        if words.take("alter", "table"):
            yield from _alter_table(words)
        elif words.take("create"):
            yield from _create_table(words)
        elif words.take("drop", "table"):
            words.take("if", "exists")
            for name in words.names():
                yield Alteration("drop table", name)


def _alter_table(words: Words) -> Iterator[Alteration]:
    table = words.altered_table()
    if table is None:
        return
    if words.take("rename", "to"):
        yield Alteration("rename", table, words.identifier())
    for action in words.parts():
        if action.take("add"):
            column = ""
            if action.take("column"):
                action.take("if", "not", "exists")
                column = action.identifier()
            yield from _references(action, table, column)
        elif action.take("drop", "constraint"):
            action.take("if", "exists")
            yield Alteration("drop constraint", table, action.identifier())
        elif action.take("drop"):
            action.take("column")
            action.take("if", "exists")
            yield Alteration("drop column", table, action.identifier())
        elif action.take("alter"):
            action.take("column")
            column = action.identifier()
            if action.take("type") or action.take("set", "data", "type"):
                yield Alteration("type", table, column, type=action.text())


def _create_table(words: Words) -> Iterator[Alteration]:
    for word in ("unlogged", "global", "local", "temporary", "temp"):
        words.take(word)
    if not words.take("table"):
        return
    words.take("if", "not", "exists")
    table = words.name()
    if table is None or not words.sign("("):
        return
    for part in words.parts():
        first = part.tokens[0] if part.tokens else None
        is_column = first is not None and first.is_name and not first.is_word(*NO_COLUMN)
        yield from _references(part, table, part.identifier() if is_column else "")


def _references(words: Words, table: QualifiedName, column: str) -> Iterator[Alteration]:
    """Yield the foreign key of a column's or a constraint's definition."""
    name = ""
    columns: tuple[str, ...] = (column,)
    while words.at < len(words.tokens):
        if words.take("constraint"):
            name = words.identifier()
        elif words.take("foreign", "key") and words.sign("("):
            columns = ()
            while part := words.identifier():
                columns = (*columns, part)
                words.sign(",")
        elif words.take("references"):
            target = words.name()
            yield Alteration(
                "add key", table, name, columns, target, not_valid=words.has("not", "valid")
            )
            return
        else:
            words.at += 1
