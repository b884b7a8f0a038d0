"""The difference between two schemas: what is renamed, replaced, created, altered and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .column_steps import changes_type, generation, must_be_replaced
from .definition import IDENTITY_OF, Key, SchemaDefinition, SchemaObject
from .object_steps import ROUTINES, VIEWS, body, create_object, is_renamed
from .ordering import RANK, in_order, reached
from .steps import Effect
from .table_steps import parents
from .type_steps import alter_type

FOLLOW_TYPE = ("view", "materialized view", "rule", "trigger", "policy", *ROUTINES)
"""Kinds that a column cannot change its type under; PostgreSQL itself rebuilds the others."""
NOT_RECREATED = ("table", "foreign table", "column", "sequence", "type", "schema", "extension")
KNOWN = frozenset(RANK) - {"aggregate", "collation", "foreign table", "operator"}
"""Kinds that are created and altered without a dump."""
OF_COLUMNS = ("type", "collation")
"""Kinds that columns have, and that others take the place of."""
NOT_NULL = "NOT NULL "
WITH_TYPE = "array type"
"""A kind that comes with another object."""


class SchemaDifference:
    """The objects in which two schemas differ, and those that have to follow them.

    What depends on something that is dropped or gets another type is dropped before and created
    again after.

    Attributes:
        removed, created, changed: the objects that only one of the schemas has, and those that
            both have in different ways.
        renamed: old key → new key of the objects that only have another name.
        replaced: what is dropped and created.
        retyped: the columns whose type is replaced.
        without_default: the columns whose default is replaced.
        causes: an object that is replaced unchanged → the objects because of which it is.
    """

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
        free: dict[tuple[str, str | None], list[Key]] = {}
        for key in sorted(self.created):
            free.setdefault(self.after.objects[key].place, []).append(key)
        for key in sorted(self.removed):
            old = self.before.objects[key]
            others = free.get(old.place, [])
            for other in others:
                if is_renamed(old, self.after.objects[other]):
                    others.remove(other)
                    yield key, other
                    break

    def old_of(self, key: Key) -> SchemaObject:
        return self.before.objects[self.old_keys.get(key, key)]

    def _must_be_replaced(self, key: Key) -> bool:
        """Return whether an object has to be dropped and created to be what it should be."""
        old, new = self.old_of(key), self.after.objects[key]
        if key in self.old_keys:
            return False
        if old.kind == "column":
            return must_be_replaced(old, new) and old.relation in self.before.relations
        if old.kind == "type":
            steps = alter_type(old, new)
            return steps is None or (
                any(step.effect is Effect.SCANS for step in steps) and self._has_arrays(old)
            )
        if old.kind == "sequence":
            goes_with_owner = ("column", owner_of(old)) in self.removed
            return goes_with_owner or is_identity(old) != is_identity(new)
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

    def _has_arrays(self, domain: SchemaObject) -> bool:
        """Return whether columns are arrays of a domain, whose values PostgreSQL does not check."""
        columns = self.before.needed_by.get(domain.key, ())
        return any(
            self.before.objects[key].lines[0] == f"{domain.name}[]"
            for key in columns
            if key[0] == "column"
        )

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
            if key[0] == "column" and changes_type(self.old_of(key), self.after.objects[key])
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
            if is_dropped and key[0] == "type" and base_type(old) == key[1]:
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
            for item in self.after.parts_of_relations[relation]
            if item.kind != "sequence"
        }

    @cached_property
    def additions(self) -> set[Key]:
        """What is created or altered."""
        altered = self.changed | self.retyped | self.without_default
        return self.created | self.replaced | self.new_parts | altered

    @cached_property
    def drops(self) -> list[Key]:
        """What is dropped by a statement of its own, in an order in which that is possible."""
        keys = {self.old_keys.get(key, key) for key in (*self.removed, *self.replaced)}
        ordered = in_order(keys, self.before.needed_by, self.before, backwards=True)
        return [key for key in ordered if not self._goes_with_another(self.before.objects[key])]

    @cached_property
    def leaving_users(self) -> dict[Key, set[Key]]:
        """Object → those that need it and are dropped, by themselves or with another one."""
        gone = {self.old_keys.get(key, key) for key in (*self.removed, *self.replaced)}
        gone |= {
            i.key for i in self.before.objects.values() if i.relation in self.dropped_relations
        }
        return {key: users & gone for key, users in self.before.needed_by.items()}

    @cached_property
    def late_drops(self) -> set[Key]:
        """The types and collations that columns have until they are altered, and what they need."""
        removed = self.removed.intersection(self.drops)
        found = {key for key in removed if key[0] in OF_COLUMNS and self.former_users(key)}
        for key in tuple(found):
            found |= reached(key, self.before.needs, removed)
        return found

    def former_users(self, key: Key) -> set[Key]:
        """Return the columns that are altered and needed a type or a collation before."""
        columns = (each for each in self.before.needed_by.get(key, ()) if each[0] == "column")
        return {self.renamed.get(each, each) for each in columns} & self.changed

    def _goes_with_another(self, item: SchemaObject) -> bool:
        if item.kind == "schema" or is_not_null_constraint(item):
            return True
        if self.is_covered(item, self.dropped_relations):
            return not item.is_foreign_key or item.is_inherited
        if item.kind == "sequence":
            return is_identity(item) or ("column", owner_of(item)) in self.removed
        if item.kind == "index" and item.value("part of "):
            return ("index", item.value("part of ")) in self.removed | self.replaced
        return item.is_inherited

    def is_covered(self, item: SchemaObject, relations: set[str]) -> bool:
        """Return whether an object is a part of one of the tables or views."""
        return item.relation in relations and item.key not in (
            owner.key
            for owner in (
                self.before.relations.get(item.relation or ""),
                self.after.relations.get(item.relation or ""),
            )
            if owner is not None
        )

    def is_inherited_change(self, key: Key) -> bool:
        """Return whether a column of a child changes with the same one of its parent."""
        item = self.after.objects[key]
        if not item.is_inherited or not self.old_of(key).is_inherited:
            return False
        names = {("column", f"{table}.{item.own_name}") for table in self._parents(item)}
        return bool(names & self.changed)

    def _parents(self, item: SchemaObject) -> list[str]:
        table = self.after.relations.get(item.relation or "")
        return parents(table) if table else []


def base_type(column: SchemaObject) -> str:
    return column.lines[0].removesuffix("[]")


def is_identity(sequence: SchemaObject) -> bool:
    return sequence.value(IDENTITY_OF) is not None


def owner_of(sequence: SchemaObject) -> str:
    """Return the name of the column that a sequence belongs to; "" if there is none."""
    return sequence.value("owned by ") or sequence.value(IDENTITY_OF) or ""


def is_not_null_constraint(item: SchemaObject) -> bool:
    """Return whether a column or a domain has the constraint, with which it comes and goes."""
    return item.kind == "constraint" and f"{item.lines[0]} ".startswith(NOT_NULL)


def _head(routine: SchemaObject) -> str:
    """Return what CREATE OR REPLACE cannot change of a routine."""
    return routine.lines[0].partition("\n LANGUAGE ")[0]
