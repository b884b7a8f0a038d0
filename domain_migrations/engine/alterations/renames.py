"""The renames between two schemas that the catalog shows: the rest looks like a loss.

No catalog says that an object had another name. A column is taken for a renamed one only if it is
in the other's place, which one that was added cannot be; a table only if it has an index or a
sequence with the other's name; a type or a sequence only if it is used where the other was; a
label of an enum only if it is in the other's place. Everything else has to be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ..sessions.connection import execute
from .definition import Key, SchemaDefinition, SchemaObject
from .differences import is_identity
from .object_steps import taken_names
from .table_steps import parents


@dataclass(frozen=True)
class Rename:
    """An object, or a label of an enum, that has another name and is otherwise the same.

    Attributes:
        item: the object, or the enum, under its former name.
        old, new: the names of what is renamed, as SQL writes them, without the schema's.
        forwards, backwards: the statements.
    """

    item: SchemaObject
    old: str
    new: str
    forwards: str
    backwards: str

    @property
    def sentence(self) -> str:
        label = f"label {self.old} of the " if self.is_label else ""
        return f"{label}{self.item.title}: renamed to {self.new}"

    @property
    def back(self) -> str:
        """The sentence about the way back."""
        label = f"label {self.new} of the " if self.is_label else ""
        title = self.item.title
        what = title if label else f"{title.removesuffix(self.old)}{self.new}"
        return f"{label}{what}: renamed to {self.old}"

    @property
    def is_label(self) -> bool:
        return self.item.kind == "type" and self.old in self.item.values("label ")


def follow_renames(
    connection: BaseDatabaseWrapper,
    schema: SchemaDefinition,
    target: SchemaDefinition,
    read: Callable[[], SchemaDefinition],
) -> tuple[SchemaDefinition, list[Rename]]:
    """Give objects of a database the names that they have in another one.

    Arguments:
        connection: to a scratch database, because the names are changed there.
        schema, read: its schema, and how to read it again.

    Returns:
        the schema afterwards, and the renames in their order.
    """
    made, refused = list[Rename](), set[str]()
    while found := [
        each for each in certain_renames(schema, target) if each.forwards not in refused
    ]:
        for rename in found:
            try:
                with transaction.atomic(using=connection.alias):
                    execute(connection, rename.forwards)
            except Error:
                refused.add(rename.forwards)  # Something else still has the name.
            else:
                made.append(rename)
        schema = read()
    return schema, made


def certain_renames(before: SchemaDefinition, after: SchemaDefinition) -> list[Rename]:
    """Return the renames of what one schema lacks and the other one has; no more than are certain.

    What belongs to a table that is renamed is found when the table has its new name.
    """
    return [
        *_tables(before, after),
        *_columns(before, after),
        *_used(before, after),
        *_labels(before, after),
    ]


def _tables(before: SchemaDefinition, after: SchemaDefinition) -> Iterator[Rename]:
    created = _only_in(after, before, "table")
    for old in _only_in(before, after, "table"):
        found = [new for new in created if _is_same_table(before, old, after, new)]
        if len(found) == 1:
            yield _rename(old, found[0], f"ALTER TABLE {old.parts[0]}.", " RENAME TO ")


def _is_same_table(
    before: SchemaDefinition, old: SchemaObject, after: SchemaDefinition, new: SchemaObject
) -> bool:
    """Return whether a table has an index or sequence with the other's name, and its columns.

    They may be renamed themselves, or have a type that is.
    """
    was, will = before.columns.get(old.name, []), after.columns.get(new.name, [])
    has_columns = len(was) <= len(will) and all(
        one.own_name == other.own_name or one.definition == other.definition
        for one, other in zip(was, will, strict=False)
    )
    return has_columns and bool(_unique_names(before, old) & _unique_names(after, new))


def _unique_names(definition: SchemaDefinition, table: SchemaObject) -> set[str]:
    """Return the names of a table's indexes and sequences, of which a schema has one each."""
    parts = definition.parts_of_relations.get(table.relation or "", ())
    names = {name for part in parts for name in taken_names(None, part)}
    return names | set(taken_names(definition, table)) - {table.name}


def _columns(before: SchemaDefinition, after: SchemaDefinition) -> Iterator[Rename]:
    for relation in before.relations.keys() & after.relations.keys():
        table = before.relations[relation]
        if table.kind == "table" == after.relations[relation].kind:
            old, new = (each.columns.get(table.name, []) for each in (before, after))
            yield from _columns_in_place(before, old, after, new)


def _columns_in_place(
    before: SchemaDefinition,
    old: Sequence[SchemaObject],
    after: SchemaDefinition,
    new: Sequence[SchemaObject],
) -> Iterator[Rename]:
    """Yield the columns between two that stay, as long as no other one was dropped before.

    A column that is added comes last, and one that is dropped leaves a gap.
    """
    kept = [column.key for column in old if column.key in after.objects]
    if kept != [column.key for column in new if column.key in before.objects]:
        return
    for removed, created in zip(_gaps(old, kept), _gaps(new, kept), strict=True):
        for one, other in zip(removed, created, strict=False):
            was_dropped = after.gaps.get(other.key, 0) > before.gaps.get(one.key, 0)
            is_certain = one.definition == other.definition and not one.is_inherited
            if was_dropped or not is_certain or not _heirs_follow(before, one, after, other):
                break
            yield _rename(one, other, f"ALTER TABLE {one.table} RENAME COLUMN ", " TO ")


def _heirs_follow(
    before: SchemaDefinition, old: SchemaObject, after: SchemaDefinition, new: SchemaObject
) -> bool:
    """Return whether the tables that inherit a column have the other one instead."""
    return all(
        ("column", f"{heir.name}.{new.own_name}") in after.objects
        for heir in before.relations.values()
        if old.table in parents(heir) and heir.key in after.objects
    )


def _gaps(columns: Sequence[SchemaObject], kept: Sequence[Key]) -> list[list[SchemaObject]]:
    """Return the columns before each of those that stay, and those after the last one."""
    found: list[list[SchemaObject]] = [[]]
    for column in columns:
        if column.key in kept:
            found.append([])
        else:
            found[-1].append(column)
    return found


def _used(before: SchemaDefinition, after: SchemaDefinition) -> Iterator[Rename]:
    """Yield the types and sequences that the same columns use under another name."""
    for kind in ("type", "sequence"):
        created = [item for item in _only_in(after, before, kind) if not _has_owner(item)]
        for old in _only_in(before, after, kind):
            users = _users(before, old)
            found = [new for new in created if _is_same(old, new) and _users(after, new) == users]
            if users and len(found) == 1 and not _has_owner(old):
                yield _rename(old, found[0], f"ALTER {kind.upper()} {old.parts[0]}.", " RENAME TO ")


def _is_same(old: SchemaObject, new: SchemaObject) -> bool:
    return old.lines == new.lines or bool(_renamed_labels(old, new))


def _has_owner(item: SchemaObject) -> bool:
    return item.value("owned by ") is not None or is_identity(item)


def _users(definition: SchemaDefinition, item: SchemaObject) -> set[Key]:
    return {key for key in definition.needed_by.get(item.key, ()) if key[0] == "column"}


def _labels(before: SchemaDefinition, after: SchemaDefinition) -> Iterator[Rename]:
    for key in sorted(before.objects.keys() & after.objects.keys()):
        item = before.objects[key]
        for old, new in _renamed_labels(item, after.objects[key]):
            start = f"ALTER TYPE {item.name} RENAME VALUE "
            yield Rename(item, old, new, f"{start}{old} TO {new}", f"{start}{new} TO {old}")


def _renamed_labels(before: SchemaObject, after: SchemaObject) -> list[tuple[str, str]]:
    """Return the labels that have another name in an enum with as many; [] if it is not certain."""
    if before.kind != "type" or {before.lines[0], after.lines[0]} != {"enum"}:
        return []
    old, new = before.values("label "), after.values("label ")
    found = [pair for pair in zip(old, new, strict=False) if pair[0] != pair[1]]
    is_certain = len(old) == len(new) and not any(was in new or will in old for was, will in found)
    # If all of them differ, it is another enum.
    return found if is_certain and len(found) < len(old) else []


def _only_in(one: SchemaDefinition, other: SchemaDefinition, kind: str) -> list[SchemaObject]:
    keys = sorted(key for key in one.objects.keys() - other.objects.keys() if key[0] == kind)
    return [one.objects[key] for key in keys]


def _rename(old: SchemaObject, new: SchemaObject, start: str, middle: str) -> Rename:
    was, will = old.own_name, new.own_name
    return Rename(old, was, will, f"{start}{was}{middle}{will}", f"{start}{will}{middle}{was}")
