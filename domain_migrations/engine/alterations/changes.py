"""The changes that turn one schema into another, in an order in which they can be executed.

First goes what is renamed, then what is dropped, then what is created or altered, and last what
closes a circle: owners of sequences and partitions. What depends on something that is dropped or
gets another type is dropped before and created again after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..catalog.fingerprint import difference
from .column_steps import (
    IDENTITY_OF,
    add_column,
    alter_column,
    changes_type,
    continue_after_rows,
    drop_column,
    generation,
    must_be_replaced,
    release_column,
)
from .definition import Key, SchemaDefinition, SchemaObject
from .object_steps import (
    ROUTINES,
    VIEWS,
    body,
    comment_steps,
    create_object,
    create_view,
    drop_object,
    flag_steps,
    is_renamed,
    rename_steps,
    taken_names,
)
from .ordering import RANK, in_order, reached
from .steps import Effect, Step, quick
from .table_steps import alter_table, attach_partition, create_table, parents, partition_bound
from .type_steps import alter_sequence, alter_type, create_sequence, set_sequence_owner

FOLLOW_TYPE = ("view", "materialized view", "rule", "trigger", "policy", *ROUTINES)
"""Kinds that a column cannot change its type under; PostgreSQL itself rebuilds the others."""
NOT_RECREATED = ("table", "foreign table", "column", "sequence", "type", "schema", "extension")
KNOWN = frozenset(RANK) - {"aggregate", "collation", "foreign table", "operator"}
"""Kinds that are created and altered without a dump."""
NOT_NULL = "NOT NULL "
WITH_TYPE = "array type"
"""A kind that comes with another object."""


@dataclass(frozen=True)
class Change:
    """One object that is made different.

    Attributes:
        item: the object, as it will be, or as it was if it is dropped.
        verb: ``rename``, ``drop``, ``create``, ``alter`` or ``finish``.
        sentence: how the object differs, as a comparison of fingerprints says it.
        steps: the statements; none if it has to be written by hand.
        causes: the objects because of which it is dropped and created again unchanged.
        needs: the objects that have to be changed before.
    """

    item: SchemaObject
    verb: str
    sentence: str
    steps: tuple[Step, ...]
    causes: frozenset[Key] = frozenset()
    needs: frozenset[Key] = frozenset()


def schema_changes(before: SchemaDefinition, after: SchemaDefinition) -> list[Change]:
    """Return what turns one schema into another; [] if they are the same."""
    return list(_Comparison(before, after).changes())


class _Comparison:
    def __init__(self, before: SchemaDefinition, after: SchemaDefinition) -> None:
        self.before, self.after = before, after
        old, new = before.objects, after.objects
        self.removed = {key for key in old if key not in new and key[0] != WITH_TYPE}
        self.created = {key for key in new if key not in old and key[0] != WITH_TYPE}
        self.renamed = dict(self._renamed())
        self.removed -= self.renamed.keys()
        self.created -= set(self.renamed.values())
        self.changed = {
            key for key in old.keys() & new.keys() if old[key].definition != new[key].definition
        }
        self.changed.update(
            new_key
            for old_key, new_key in self.renamed.items()
            if old[old_key].definition != new[new_key].definition
        )
        self.old_keys = {new_key: old_key for old_key, new_key in self.renamed.items()}
        self.causes: dict[Key, set[Key]] = {}
        self.retyped: set[Key] = set()
        self.without_default: set[Key] = set()
        self.replaced = {key for key in self.changed if self._must_be_replaced(key)}
        self._follow_dependents()

    def _renamed(self) -> Iterator[tuple[Key, Key]]:
        free = sorted(self.created)
        for key in sorted(self.removed):
            old = self.before.objects[key]
            for other in free:
                if is_renamed(old, self.after.objects[other]):
                    free.remove(other)
                    yield key, other
                    break

    def _old(self, key: Key) -> SchemaObject:
        return self.before.objects[self.old_keys.get(key, key)]

    def _must_be_replaced(self, key: Key) -> bool:
        """Return whether an object has to be dropped and created to be what it should be."""
        old, new = self._old(key), self.after.objects[key]
        if key in self.old_keys:
            return False
        if old.kind == "column":
            return must_be_replaced(old, new) and old.relation in self.before.relations
        if old.kind == "type":
            return alter_type(old, new) is None
        if old.kind == "sequence":
            return _is_identity(old) != _is_identity(new)
        if old.kind in ("table", "foreign table", "schema", "extension"):
            return False
        if body(old) == body(new) or not create_object(self.after, new):
            return False
        if old.kind == "constraint" and old.lines[0] == f"{new.lines[0]} NOT VALID":
            return False
        if old.kind == "index" and "not valid" in old.lines and old.lines[0] == new.lines[0]:
            return False
        if old.kind == "view":
            return not self._extends_view(old)
        if old.kind in ROUTINES:
            return _head(old) != _head(new)
        return True

    def _extends_view(self, view: SchemaObject) -> bool:
        """Return whether CREATE OR REPLACE can make the view what it should be."""
        old = [(c.own_name, c.lines[0]) for c in self.before.columns.get(view.name, ())]
        new = [(c.own_name, c.lines[0]) for c in self.after.columns.get(view.name, ())]
        return new[: len(old)] == old

    def _follow_dependents(self) -> None:
        """Add what has to be dropped and created again, because of what is dropped or retyped."""
        retyped = {
            key
            for key in self.changed - self.replaced
            if key[0] == "column" and changes_type(self._old(key), self.after.objects[key])
        }
        waiting = [(key, True) for key in (*self.removed, *self.replaced)]
        waiting += [(key, False) for key in retyped]
        seen = set(waiting)
        while waiting:
            key, is_dropped = waiting.pop()
            roots = self.causes.get(key) or {key}
            old_key = self.old_keys.get(key, key)
            for other in self.before.needed_by.get(old_key, ()):
                if (item := self._follow(other, old_key, is_dropped)) is None:
                    continue
                if item[0] not in self.changed:
                    self.causes.setdefault(item[0], set()).update(roots)
                if item not in seen:
                    seen.add(item)
                    waiting.append(item)

    def _follow(self, other: Key, key: Key, is_dropped: bool) -> tuple[Key, bool] | None:
        """Return what happens to an object that needs another one, and whether it is dropped."""
        new_key = self.renamed.get(other, other)
        if other in self.removed or new_key not in self.after.objects:
            return None
        old = self.before.objects[other]
        if other[0] == "column":
            owner = self.before.relations[old.relation or ""]
            if owner.kind in VIEWS:
                if owner.key == key:
                    return new_key, True  # What needs the column needs the view.
                return self._follow(owner.key, key, is_dropped)
            if generation(old) is not None:
                self.replaced.add(new_key)
                return new_key, True
            if is_dropped and key[0] == "type" and _base_type(old) == key[1]:
                self.retyped.add(new_key)
                return new_key, True
            if is_dropped and old.value("default ") is not None and key[0] != "column":
                self.without_default.add(new_key)
            return None
        new = self.after.objects[new_key]
        if other[0] not in KNOWN and not create_object(self.after, new):
            return None
        if other[0] in NOT_RECREATED or (not is_dropped and other[0] not in FOLLOW_TYPE):
            return None
        self.replaced.add(new_key)
        return new_key, True

    @cached_property
    def dropped_relations(self) -> set[str]:
        """The tables and views that are dropped, with everything that is a part of them."""
        gone = {self.old_keys.get(key, key) for key in (*self.removed, *self.replaced)}
        return {item.relation or "" for item in self.before.relations.values() if item.key in gone}

    @cached_property
    def new_relations(self) -> set[str]:
        """The tables and views that are created, whose columns are created with them."""
        fresh = self.created | self.replaced
        return {i.relation or "" for i in self.after.relations.values() if i.key in fresh}

    @cached_property
    def new_parts(self) -> set[Key]:
        """What is created with the tables and views that are."""
        return {
            item.key
            for relation in self.new_relations
            for item in self.after.parts_of(relation)
            if item.kind != "sequence"
        }

    @cached_property
    def additions(self) -> set[Key]:
        """What is created or altered."""
        altered = self.changed | self.retyped | self.without_default
        return self.created | self.replaced | self.new_parts | altered

    def changes(self) -> Iterator[Change]:
        yield from self._renames()
        yield from self._releases()
        yield from self._drops()
        yield from self._additions()
        yield from self._finishes()

    def _change(self, item: SchemaObject, verb: str, steps: list[Step]) -> Change:
        is_drop = verb == "drop"
        old = self.before.objects.get(self.old_keys.get(item.key, item.key))
        new = self.after.objects.get(self.renamed.get(item.key, item.key))
        sentence = difference(item.title, _lines(old), _lines(new))
        sentence = sentence or f"{item.title}: created again, for what it depends on"
        causes = frozenset(self.causes.get(item.key, ()))
        owner = self.before.relations.get(item.relation or "")
        if is_drop and owner is not None and self._is_covered(item, self.dropped_relations):
            causes = frozenset({owner.key})
        if is_drop:
            needs = reached(item.key, self.before.needed_by, set(self.drops))
        else:
            needs = reached(item.key, self.after.needs, self.additions)
            needs |= {key for name in taken_names(self.after, item) for key in self._holders(name)}
        return Change(item, verb, sentence, tuple(steps), causes, frozenset(needs))

    def _holders(self, name: str) -> Iterator[Key]:
        """Yield what is dropped, and keeps others from taking a name until then."""
        holder = self.name_holders.get(name)
        owner = self.before.relations.get(holder.relation or "") if holder else None
        for item in (holder, owner):
            if item is not None and item.key in self.drops:
                yield item.key

    @cached_property
    def name_holders(self) -> dict[str, SchemaObject]:
        """Qualified name of each relation, index and sequence → the object that has it."""
        return {
            name: item for item in self.before.objects.values() for name in taken_names(None, item)
        }

    def _renames(self) -> Iterator[Change]:
        for old_key, new_key in self.renamed.items():
            old, new = self.before.objects[old_key], self.after.objects[new_key]
            if old.is_inherited or old.relation in self.dropped_relations:
                continue
            yield self._change(new, "rename", rename_steps(old, new))

    def _releases(self) -> Iterator[Change]:
        """Yield the defaults and identities that go before anything is dropped."""
        columns = {
            key for key in self.changed | self.retyped | self.without_default if key[0] == "column"
        }
        for key in sorted(columns - self.replaced):
            old, new = self._old(key), self.after.objects[key]
            if self._is_covered(old, self.dropped_relations) or self._is_inherited_change(key):
                continue
            steps = release_column(old, new)
            drop = f"ALTER TABLE {old.table} ALTER COLUMN {old.own_name} DROP DEFAULT"
            is_held = key in self.retyped | self.without_default
            if is_held and old.value("default ") is not None and Step(drop) not in steps:
                steps += quick(drop)
            if steps:
                yield self._change(new, "release", steps)

    def _drops(self) -> Iterator[Change]:
        for key in self.drops:
            item = self.before.objects[key]
            if item.kind == "type":
                yield from self._as_text(item)
            steps = drop_column(item) if item.kind == "column" else drop_object(item)
            if item.kind == "sequence" and key in self.replaced:
                # The new one continues after the values of the column.
                steps = quick(*(step.sql for step in steps))
            yield self._change(item, "drop", steps)

    def _as_text(self, item: SchemaObject) -> Iterator[Change]:
        """Yield what keeps the values of columns while their type is created again."""
        for key in sorted(self.retyped):
            column = self._old(key)
            if _base_type(column) == item.name:
                yield self._change(self.after.objects[key], "alter", [column_as_text(column)])

    @cached_property
    def drops(self) -> list[Key]:
        """What is dropped by a statement of its own, in an order in which that is possible."""
        keys = {self.old_keys.get(key, key) for key in (*self.removed, *self.replaced)}
        ordered = in_order(keys, self.before.needed_by, self.before, backwards=True)
        return [key for key in ordered if not self._goes_with_another(self.before.objects[key])]

    def _goes_with_another(self, item: SchemaObject) -> bool:
        if item.kind == "schema" or (item.kind == "constraint" and _is_not_null(item)):
            return True
        if self._is_covered(item, self.dropped_relations):
            is_key = item.kind == "constraint" and item.lines[0].startswith("FOREIGN KEY")
            return not is_key or item.is_inherited
        if item.kind == "sequence":
            owner = item.value("owned by ") or item.value(IDENTITY_OF)
            return _is_identity(item) or ("column", owner or "") in self.removed
        if item.kind == "index" and item.value("part of "):
            return ("index", item.value("part of ")) in self.removed | self.replaced
        return item.is_inherited

    def _is_covered(self, item: SchemaObject, relations: set[str]) -> bool:
        """Return whether an object is a part of one of the tables or views."""
        return item.relation in relations and item.key not in (
            owner.key
            for owner in (
                self.before.relations.get(item.relation or ""),
                self.after.relations.get(item.relation or ""),
            )
            if owner is not None
        )

    def _additions(self) -> Iterator[Change]:
        for key in in_order(self.additions, self.after.needs, self.after):
            item = self.after.objects[key]
            is_new = key in self.created | self.replaced | self.new_parts
            steps = self._creation(item) if is_new else self._alteration(item)
            if steps is not None:
                yield self._change(item, "create" if is_new else "alter", steps)

    def _creation(self, item: SchemaObject) -> list[Step] | None:
        """Return the steps that create an object; None if it comes with another one."""
        if item.kind == "column":
            owner = self.after.relations.get(item.relation or "")
            if item.relation in self.new_relations or (owner and owner.kind in VIEWS):
                comment = comment_steps(None, item)
                return comment or None
            if item.is_inherited or item.relation not in self.after.relations:
                return None
            steps = add_column(self.after, item)
        elif item.kind == "table":
            steps = create_table(self.after, item)
        elif item.kind == "sequence":
            if _is_identity(item):
                return comment_steps(None, item) or None
            steps = create_sequence(item)
        elif item.kind == "schema":
            steps = quick(f"CREATE SCHEMA IF NOT EXISTS {item.name}")
        elif (
            item.kind == "constraint"
            and (_is_not_null(item) or (item.is_inherited and not self._has_own_index(item)))
        ) or (item.kind == "trigger" and item.is_inherited):
            return None
        else:
            steps = create_object(self.after, item)
            if not steps:
                return []
        return [*steps, *flag_steps(None, item), *comment_steps(None, item)]

    def _has_own_index(self, item: SchemaObject) -> bool:
        """Return whether an inherited constraint exists before its table is attached."""
        table = self.after.relations.get(item.relation or "")
        is_partition = table is not None and partition_bound(table) is not None
        is_key = item.lines[0].startswith("FOREIGN KEY")
        return is_partition and not is_key and item.relation in self.new_relations

    def _alteration(self, item: SchemaObject) -> list[Step] | None:
        """Return the steps that alter an object; None if it changes with another one."""
        key, old = item.key, self._old(item.key)
        steps: list[Step] | None
        if item.kind not in KNOWN and body(old) != body(item):
            return []  # It is not known how.
        if item.kind == "column":
            if item.relation in self.new_relations or self._is_inherited_change(key):
                return None
            if (
                item.relation in self.after.relations
                and self.after.relations[item.relation].kind in VIEWS
            ):
                return comment_steps(old, item) or None
            steps = alter_column(
                self.after,
                old,
                item,
                retype=key in self.retyped,
                default=key in self.retyped | self.without_default,
            )
        elif item.kind == "table":
            steps = alter_table(old, item)
        elif item.kind == "sequence":
            steps = alter_sequence(old, item)
        elif item.kind == "type":
            steps = alter_type(old, item)
        elif item.kind == "schema":
            steps = []
        elif item.kind == "constraint" and old.lines[0] != item.lines[0]:
            steps = quick(f"ALTER TABLE {item.table} VALIDATE CONSTRAINT {item.own_name}")
        elif item.kind == "index" and "not valid" in old.lines and "not valid" not in item.lines:
            steps = quick(f"REINDEX INDEX {item.name}")
        elif item.kind == "view" and body(old) != body(item):
            steps = quick(create_view(item, replace=True))
            new, was = item.value("with "), old.value("with ")
            if was is not None and new is None:
                names = ", ".join(option.partition("=")[0] for option in was.split(", "))
                steps += quick(f"ALTER VIEW {item.name} RESET ({names})")
        elif item.kind in ROUTINES and body(old) != body(item):
            steps = quick(item.lines[0].rstrip())
        else:
            steps = self._attachment(old, item)
        if steps is None:
            return []
        steps = [*steps, *flag_steps(old, item), *comment_steps(old, item)]
        return steps or None

    def _attachment(self, old: SchemaObject, item: SchemaObject) -> list[Step]:
        parent = item.value("part of ")
        if item.kind == "index" and parent and parent != old.value("part of "):
            return quick(f"ALTER INDEX {parent} ATTACH PARTITION {item.name}")
        return []

    def _is_inherited_change(self, key: Key) -> bool:
        """Return whether a column of a child changes with the same one of its parent."""
        item = self.after.objects[key]
        if not item.is_inherited or not self._old(key).is_inherited:
            return False
        names = {("column", f"{table}.{item.own_name}") for table in self._parents(item)}
        return bool(names & self.changed)

    def _parents(self, item: SchemaObject) -> list[str]:
        table = self.after.relations.get(item.relation or "")
        return parents(table) if table else []

    def _finishes(self) -> Iterator[Change]:
        """Yield what can be done only when everything exists."""
        for key in sorted(self.created | self.changed | self.replaced):
            item = self.after.objects[key]
            if item.kind == "sequence" and not _is_identity(item):
                old = self.before.objects.get(self.old_keys.get(key, key))
                was = old.value("owned by ") if old and key not in self.replaced else None
                if was != item.value("owned by "):
                    steps = set_sequence_owner(item)
                    column = self.after.objects.get(("column", item.value("owned by ") or ""))
                    is_new = key in self.created or key in self.replaced
                    if (
                        column is not None
                        and is_new
                        and (column.relation not in self.new_relations)
                    ):
                        steps += continue_after_rows(item, column)
                    yield self._change(item, "finish", steps)
            if item.kind == "table" and key in self.created and partition_bound(item):
                yield self._change(item, "finish", attach_partition(item))


def column_as_text(column: SchemaObject) -> Step:
    """Return the step that keeps the values of a column while its type is created again."""
    kind = "text[]" if column.lines[0].endswith("[]") else "text"
    name = column.own_name
    text = f"ALTER TABLE {column.table} ALTER COLUMN {name} TYPE {kind} USING {name}::{kind}"
    return Step(text, Effect.REWRITES)


def _base_type(column: SchemaObject) -> str:
    return column.lines[0].removesuffix("[]")


def _is_identity(sequence: SchemaObject) -> bool:
    return sequence.value(IDENTITY_OF) is not None


def _is_not_null(constraint: SchemaObject) -> bool:
    return constraint.lines[0].startswith(NOT_NULL)


def _head(routine: SchemaObject) -> str:
    """Return what CREATE OR REPLACE cannot change of a routine."""
    return routine.lines[0].partition("\n LANGUAGE ")[0]


def _lines(item: SchemaObject | None) -> list[str] | None:
    return None if item is None else item.definition_lines
