"""Statements in the form that Citus takes.

Citus sends each statement that changes a table to the nodes as text, so it takes one at a time, and
only constraints that have a name: it gives another one than PostgreSQL to those of a new column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ...domains import QualifiedName
from ..sql.alterations import NO_COLUMN
from ..sql.lexer import Token, split_string
from ..sql.words import Words
from .chosen_names import TakenNames, chosen_name

MAY_CHANGE = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*ALTER\s+TABLE\b|;\s*\S", re.I | re.S)
"""Whether a text may have to be changed: it alters a table, or has several statements."""

READS = re.compile(r"(?:SELECT|VALUES|TABLE|WITH|INSERT|UPDATE|DELETE|MERGE|SHOW)\b", re.I)
"""The statements that Citus takes together with others, and whose rows may be wanted."""

ReadNames = Callable[[QualifiedName], TakenNames]
"""Returns what the schema of a table, and the table, have already."""


class _Order:
    """The order in which PostgreSQL runs the actions of one statement."""

    DROP, TYPE, COLUMN, OTHER, CONSTRAINT = range(5)


class _Insertion(NamedTuple):
    """Text to be put into a statement."""

    at: int
    text: str


def in_citus_form(text: str, read_names: ReadNames, *, split: bool = True) -> list[str]:
    """Return the statements to send instead of a text, one after the other.

    Arguments:
        read_names: called where a constraint has no name.
        split: whether statements that were sent together may be sent alone.
    """
    if not MAY_CHANGE.search(text):
        return [text]
    found = split_string(text)
    if not split and len(found) > 1:
        return [text]
    if len(found) > 1 and all(map(READS.match, found)):
        return [text]
    statements = [one for each in found for one in _statements(each, read_names)]
    return statements if statements != found or len(found) > 1 else [text]


def _statements(statement: str, read_names: ReadNames) -> Iterator[str]:
    """Yield the statements that do what one does."""
    words = Words.of(statement)
    if not words.take("alter", "table"):
        yield statement
        return
    table = words.altered_table()
    actions = list(words.parts())
    if table is None or not actions or not all(action.tokens for action in actions):
        yield statement
        return
    names = _Names(table, frozenset(filter(None, map(_new_column, actions))), read_names)
    insertions = [one for action in actions for one in names.missing_in(action)]
    if len(actions) == 1 or not any(map(_adds_constraint, actions)):
        yield _with_insertions(statement, 0, len(statement), insertions)
        return
    head = statement[: actions[0].tokens[0].start]
    for action in sorted(actions, key=_order):
        start, end = action.tokens[0].start, action.tokens[-1].end
        yield head + _with_insertions(statement, start, end, insertions)


def _with_insertions(source: str, start: int, end: int, insertions: Sequence[_Insertion]) -> str:
    """Return a part of the source, with the insertions that belong into it."""
    pieces, at = [], start
    for insertion in sorted(insertions):
        if start <= insertion.at < end:
            pieces += [source[at : insertion.at], insertion.text]
            at = insertion.at
    return "".join([*pieces, source[at:end]])


def _order(action: Words) -> int:
    first = action.tokens[0]
    if first.is_word("drop"):
        return _Order.DROP
    if first.is_word("alter") and action.has("type"):
        return _Order.TYPE
    if not first.is_word("add"):
        return _Order.OTHER
    return _Order.CONSTRAINT if _new_column(action) is None else _Order.COLUMN


def _adds_constraint(action: Words) -> bool:
    if not action.tokens[0].is_word("add"):
        return False
    return _new_column(action) is None or any(_constraints(action))


def _new_column(action: Words) -> str | None:
    """Return the column that an action adds, None if it adds none."""
    words = Words(action.source, action.tokens)
    if not words.take("add"):
        return None
    if words.take("column"):
        words.take("if", "not", "exists")
    elif not words.rest or words.rest[0].is_word(*NO_COLUMN):
        return None
    return words.identifier() or None


class _Constraint(NamedTuple):
    """A constraint in the definition of a column.

    Attributes:
        label: the end of the name that PostgreSQL would give it.
        keyword: where its definition begins.
        expression: the tokens of a check's expression.
    """

    label: str
    keyword: Token
    is_named: bool
    expression: Sequence[Token] = ()


def _constraints(action: Words) -> Iterator[_Constraint]:
    """Yield the constraints of a new column.

    Their words are reserved: outside of parentheses they mean nothing else.
    """
    words = Words(action.source, action.tokens)
    while words.at < len(words.tokens):
        token = words.tokens[words.at]
        if words.skip_group():
            continue
        words.at += 1
        is_named = words.at > 2 and words.tokens[words.at - 3].is_word("constraint")
        if token.is_word("check"):
            yield _Constraint("check", token, is_named, words.skip_group())
        elif token.is_word("unique"):
            yield _Constraint("key", token, is_named)
        elif token.is_word("primary"):
            yield _Constraint("pkey", token, is_named)
        elif token.is_word("references"):
            yield _Constraint("fkey", token, is_named)


class _Names:
    """The names for the constraints of one statement, and the columns that it adds."""

    def __init__(self, table: QualifiedName, added: frozenset[str], read_names: ReadNames) -> None:
        self.table = table
        self.added = added
        self.read_names = read_names
        self.given: set[str] = set()
        self.taken: TakenNames | None = None

    def missing_in(self, action: Words) -> Iterator[_Insertion]:
        """Yield the names to be put into the definition of a new column."""
        column = _new_column(action)
        if column is None:
            yield from self._missing_in_table_constraint(action)
            return
        for constraint in _constraints(action):
            if not constraint.is_named:
                yield self._insertion(column, constraint)

    def _missing_in_table_constraint(self, action: Words) -> Iterator[_Insertion]:
        """Yield the name of a check or an exclusion constraint of the table, if it has none.

        The server ends where Citus is sent an exclusion constraint without a name.
        """
        words = Words(action.source, action.tokens)
        if not words.take("add") or not words.rest:
            return
        keyword = words.rest[0]
        if words.take("check"):
            found = _Constraint("check", keyword, False, words.skip_group())
            yield self._insertion("", found)
        elif words.take("exclude"):
            while words.rest and not words.rest[0].is_operator("("):
                words.at += 1
            elements = Words(words.source, words.skip_group())
            columns = "_".join(element.identifier() or "expr" for element in elements.parts())
            yield self._insertion(columns, _Constraint("excl", keyword, False))

    def _insertion(self, columns: str, constraint: _Constraint) -> _Insertion:
        name = self._choose(columns, constraint).replace('"', '""')
        return _Insertion(constraint.keyword.start, f'CONSTRAINT "{name}" ')

    def _choose(self, column: str, constraint: _Constraint) -> str:
        self.taken = taken = self.taken or self.read_names(self.table)
        used = {*taken.constraints, *self.given}
        columns = column
        if constraint.label == "check":
            columns = _only_column(constraint.expression, {*taken.columns, *self.added})
        elif constraint.label in ("key", "pkey", "excl"):
            used |= set(taken.relations)
            columns = "" if constraint.label == "pkey" else column
        name = chosen_name(self.table.name, columns, constraint.label, used)
        self.given.add(name)
        return name


def _only_column(expression: Sequence[Token], columns: set[str]) -> str:
    """Return the column that an expression is about; empty if it is about several, or none."""
    found = set()
    following: Sequence[Token | None] = [*expression[1:], None]
    before: Token | None = None
    for token, after in zip(expression, following, strict=True):
        is_type = before is not None and before.is_operator("::")
        is_call = after is not None and after.is_operator("(")
        if token.is_name and not is_type and not is_call and token.text in columns:
            found.add(token.text)
        before = token
    return found.pop() if len(found) == 1 else ""
