"""The relations that statements create, drop, rename and change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from ...domains import QualifiedName
from ...engine.sql.words import Words

TABLE_KINDS = (("table",), ("foreign", "table"), ("materialized", "view"), ("index",))
MODIFIERS = ("global", "local", "temporary", "temp", "unlogged", "unique")
OPTIONS = ("verbose", "full", "freeze", "analyze", "concurrently")


class Effect(NamedTuple):
    """What a statement does to one relation.

    Attributes:
        conditional: whether it is done only if it is possible: ``IF EXISTS``, ``IF NOT EXISTS``.
        new: the name after ``rename``.
    """

    kind: Literal["create", "drop", "rename", "change"]
    relation: QualifiedName
    conditional: bool = False
    new: QualifiedName | None = None


def effects(sql: str) -> Iterator[Effect]:
    """Yield what a statement does to relations, a created index after its table."""
    words = Words.of(sql)
    if words.take("create"):
        yield from _create(words)
    elif words.take("alter"):
        yield from _alter(words)
    elif words.take("drop", "trigger"):
        yield from _changes_after(words, "on")
    elif words.take("drop"):
        yield from _drop(words)
    elif words.take("truncate") or words.take("lock"):
        words.take("table")
        words.take("only")
        yield from (Effect("change", name) for name in words.names())
    elif words.take("refresh", "materialized", "view"):
        words.skip(*OPTIONS)
        yield from (Effect("change", name) for name in words.names())
    elif words.take("vacuum") or words.take("reindex") or words.take("cluster"):
        words.skip_group()
        words.skip(*OPTIONS, "table", "index")
        words.skip(*OPTIONS)
        if words.has("on"):
            yield from _changes_after(words, "on")
        else:
            yield from (Effect("change", name) for name in words.names())
    elif words.take("select") or words.take("with"):
        yield from _select_into(words)


def _create(words: Words) -> Iterator[Effect]:
    words.take("or", "replace")
    words.skip(*MODIFIERS)
    if words.take("index"):
        words.take("concurrently")
        conditional = words.take("if", "not", "exists")
        index = None if words.take("on") else words.identifier()
        for table in _changes_after(words, "on") if index is not None else _changes(words):
            yield table
            if index:
                yield Effect("create", QualifiedName(table.relation.schema, index), conditional)
    elif any(words.take(*kind) for kind in TABLE_KINDS):
        conditional = words.take("if", "not", "exists")
        if name := words.name():
            yield Effect("create", name, conditional)
    elif words.take("trigger") or words.take("constraint", "trigger"):
        yield from _changes_after(words, "on")


def _alter(words: Words) -> Iterator[Effect]:
    if not any(words.take(*kind) for kind in TABLE_KINDS):
        return
    conditional = words.take("if", "exists")
    words.take("only")
    name = words.name()
    if name is None or words.take("in", "tablespace"):
        return
    words.sign("*")
    if words.take("rename", "to"):
        new = QualifiedName(name.schema, words.identifier())
        yield Effect("rename", name, conditional, new)
    elif words.take("set", "schema"):
        yield Effect("rename", name, conditional, QualifiedName(words.identifier(), name.name))
    else:
        yield Effect("change", name, conditional)


def _drop(words: Words) -> Iterator[Effect]:
    if any(words.take(*kind) for kind in TABLE_KINDS):
        words.take("concurrently")
        conditional = words.take("if", "exists")
        yield from (Effect("drop", name, conditional) for name in words.names())


def _select_into(words: Words) -> Iterator[Effect]:
    for action in words.parts():
        while action.rest:
            if action.skip_group():
                continue
            if not action.take("into"):
                action.at += bool(action.rest)
                continue
            before = action.tokens[action.at - 2]
            action.skip(*MODIFIERS, "table")
            name = action.name()
            if name and not before.is_word("insert", "merge"):
                yield Effect("create", name)


def _changes_after(words: Words, word: str) -> Iterator[Effect]:
    while words.rest and not words.take(word):
        words.at += 1
    return _changes(words)


def _changes(words: Words) -> Iterator[Effect]:
    words.take("only")
    if name := words.name():
        yield Effect("change", name)


Relations = frozenset[QualifiedName]


def with_new_relations(
    statements: Iterable[str], exists: Callable[[QualifiedName], bool]
) -> Iterator[tuple[str, Relations]]:
    """Yield each statement with the relations that are new when it has run.

    A relation is new if an earlier statement, or this one, created it, and if the database had
    none of its name before the first one: running code may use that name.

    Arguments:
        exists: whether the database has a relation before the first statement.
    """
    new: set[QualifiedName] = set()
    old: set[QualifiedName] = set()
    for sql in statements:
        gone: set[QualifiedName] = set()
        for effect in effects(sql):
            name = effect.relation
            if effect.kind == "create":
                if name not in old and not (effect.conditional and exists(name)):
                    new.add(name)
            elif name not in new:
                if not effect.conditional or exists(name):
                    old.add(name)
            elif effect.kind == "drop":
                gone.add(name)
            elif effect.new and effect.new not in old:
                new.add(effect.new)
                gone.add(name)
        yield sql, frozenset(new)
        new -= gone


def touches_only(sql: str, relations: Relations) -> bool:
    """Return whether a statement is about relations, all of them among the given ones."""
    found = [effect.relation for effect in effects(sql)]
    return bool(found) and all(name in relations for name in found)


def changed_relation(sql: str, new: Relations) -> QualifiedName | None:
    """Return the first existing relation that a statement changes."""
    found = (effect.relation for effect in effects(sql))
    return next((name for name in found if name not in new), None)
