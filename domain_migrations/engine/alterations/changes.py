"""The changes that turn one schema into another, in an order in which they can be executed.

First goes what is renamed, then what is dropped, then what is created or altered, then the types
that columns no longer have, and last what closes a circle: owners of sequences and partitions.
What depends on something that is dropped or gets another type is dropped before and created again
after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ..catalog.fingerprint import difference
from .column_steps import (
    add_column,
    alter_column,
    continue_after_rows,
    drop_column,
    release_column,
    view_default,
)
from .definition import Key, SchemaDefinition, SchemaObject
from .differences import (
    KNOWN,
    OF_COLUMNS,
    SchemaDifference,
    base_type,
    is_identity,
    is_not_null_constraint,
)
from .object_steps import (
    ROUTINES,
    VIEWS,
    body,
    comment_steps,
    create_object,
    create_view,
    drop_object,
    flag_steps,
    rename_steps,
    taken_names,
)
from .ordering import in_order, reached
from .renames import Rename
from .steps import Effect, Step, quick
from .table_steps import alter_table, attach_partition, create_table, parents, partition_bound
from .type_steps import alter_sequence, alter_type, create_sequence, set_sequence_owner


@dataclass(frozen=True)
class Change:
    """One object that is made different.

    Attributes:
        item: the object, as it will be, or as it was if it is dropped.
        verb: ``rename``, ``release``, ``drop``, ``create``, ``alter``, ``finish``, or ``restore``
            for a name that comes back when everything else is done.
        sentence: how the object differs, as a comparison of fingerprints says it.
        steps: the statements; none if it has to be written by hand.
        causes: the objects because of which it is dropped and created again unchanged.
        needs: the objects that have to be changed before.
        was: what is renamed, the object or a label of it, as SQL writes it without the schema.
    """

    item: SchemaObject
    verb: str
    sentence: str
    steps: tuple[Step, ...]
    causes: frozenset[Key] = frozenset()
    needs: frozenset[Key] = frozenset()
    was: str = ""

    @classmethod
    def back(cls, rename: Rename) -> Change:
        """Return the change that gives an object its former name again."""
        steps = tuple(quick(rename.backwards))
        return cls(rename.item, "restore", rename.back, steps, was=rename.new)


def schema_changes(before: SchemaDefinition, after: SchemaDefinition) -> list[Change]:
    """Return what turns one schema into another; [] if they are the same."""
    return list(_Changes(before, after).changes())


class _Changes(SchemaDifference):
    def changes(self) -> Iterator[Change]:
        yield from self._renames()
        yield from self._releases()
        yield from self._drops(key for key in self.drops if key not in self.late_drops)
        yield from self._additions()
        yield from self._drops(key for key in self.drops if key in self.late_drops)
        yield from self._finishes()

    def _change(self, item: SchemaObject, verb: str, steps: list[Step]) -> Change:
        is_drop = verb == "drop"
        old = self.before.objects.get(self.old_keys.get(item.key, item.key))
        new = self.after.objects.get(self.renamed.get(item.key, item.key))
        sentence = difference(item.title, _lines(old), _lines(new))
        sentence = sentence or f"{item.title}: created again, for what it depends on"
        causes = frozenset(self.causes.get(item.key, ()))
        owner = self.before.relations.get(item.relation or "")
        if is_drop and owner is not None and self.is_covered(item, self.dropped_relations):
            causes = frozenset({owner.key})
        if is_drop:
            needs = reached(item.key, self.leaving_users, set(self.drops))
            if item.kind in (*OF_COLUMNS, "sequence"):
                needs |= {key for key in self.retyped if base_type(self.old_of(key)) == item.name}
                needs |= self.former_users(item.key)
        else:
            needs = reached(item.key, self.after.needs, self.additions)
            needs |= {key for name in taken_names(self.after, item) for key in self._holders(name)}
            needs |= self._created_with(needs) - {item.key}
            # What a table only gets else is nothing that others wait for.
            needs -= {key for key in self.changed - self.replaced if self._stays_table(key)}
            if item.kind == "table" and partition_bound(item) is not None:
                # A partition has the columns of its parent.
                columns = (c for name in parents(item) for c in self.after.columns.get(name, ()))
                needs |= {column.key for column in columns} & self.additions
        return Change(item, verb, sentence, tuple(steps), causes, frozenset(needs))

    def _stays_table(self, key: Key) -> bool:
        """Return whether a table is there before, and is not attached as a partition."""
        is_attached = partition_bound(self.after.objects[key]) != partition_bound(self.old_of(key))
        return key[0] == "table" and not is_attached

    def _created_with(self, keys: Iterable[Key]) -> set[Key]:
        """Return the tables and views that are created with columns."""
        columns = (self.after.objects[key] for key in keys if key[0] == "column")
        names = {column.relation or "" for column in columns} & self.new_relations
        return {self.after.relations[name].key for name in names}

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
        found = (
            (self.before.objects[old], self.after.objects[new]) for old, new in self.renamed.items()
        )
        pairs = [
            (old, new)
            for old, new in found
            if not old.is_inherited and old.relation not in self.dropped_relations
        ]
        wanted = {name for _, new in pairs for name in taken_names(None, new)}
        places = [old for old, _ in pairs]
        for i, (old, new) in enumerate(pairs):
            if wanted.intersection(taken_names(None, old)):
                # Another one gets the name before this one has left it.
                places[i] = replace(old, name=".".join([*old.parts[:-1], f"renamed_{i}"]))
                yield self._rename(old, new, places[i])
        for place, (old, new) in zip(places, pairs, strict=True):
            yield self._rename(old, new, new, place)

    def _rename(
        self,
        old: SchemaObject,
        new: SchemaObject,
        to: SchemaObject,
        now: SchemaObject | None = None,
    ) -> Change:
        sentence = f"{old.title}: renamed to {new.own_name}"
        change = self._change(new, "rename", rename_steps(now or old, to))
        return replace(change, sentence=sentence, was=old.own_name)

    def _releases(self) -> Iterator[Change]:
        """Yield the defaults and identities that go before anything is dropped."""
        columns = {
            key for key in self.changed | self.retyped | self.without_default if key[0] == "column"
        }
        for key in sorted(columns - self.replaced):
            old, new = self.old_of(key), self.after.objects[key]
            if self.is_covered(old, self.dropped_relations) or self.is_inherited_change(key):
                continue
            steps = release_column(self.before, old, new)
            drop = f"ALTER TABLE {old.table} ALTER COLUMN {old.own_name} DROP DEFAULT"
            is_held = key in self.retyped | self.without_default
            if is_held and old.value("default ") is not None and Step(drop) not in steps:
                steps += quick(drop)
            if steps:
                yield self._change(new, "release", steps)

    def _drops(self, keys: Iterable[Key]) -> Iterator[Change]:
        for key in keys:
            item = self.before.objects[key]
            if item.kind == "type" and key not in self.late_drops:
                yield from self._as_text(item)
            steps = drop_column(item) if item.kind == "column" else drop_object(item)
            if item.kind == "sequence" and key in self.replaced:
                # The new one continues after the values of the column.
                steps = quick(*(step.sql for step in steps))
            yield self._change(item, "drop", steps)

    def _as_text(self, item: SchemaObject) -> Iterator[Change]:
        """Yield what keeps the values of columns while their type is created again."""
        for key in sorted(self.retyped):
            column = self.old_of(key)
            if base_type(column) == item.name:
                yield self._change(self.after.objects[key], "alter", [column_as_text(column)])

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
                is_view = owner is not None and owner.kind == "view"
                default = view_default(None, item) if is_view else []
                return [*default, *comment_steps(None, item)] or None
            if item.is_inherited or item.relation not in self.after.relations:
                return None
            steps = add_column(self.after, item)
        elif item.kind == "table":
            steps = create_table(self.after, item)
        elif item.kind == "sequence":
            if is_identity(item):
                return comment_steps(None, item) or None
            steps = create_sequence(item)
        elif item.kind == "schema":
            steps = quick(f"CREATE SCHEMA IF NOT EXISTS {item.name}")
        elif (
            is_not_null_constraint(item)
            or (item.kind == "constraint" and item.is_inherited and not self._has_own_index(item))
            or (item.kind == "trigger" and item.is_inherited)
        ):
            return None
        else:
            # A table that becomes a partition brings its indexes.
            steps = create_object(self.after, item, attach=not self._is_new_partition(item))
            if not steps:
                return []
        return [*steps, *flag_steps(None, item), *comment_steps(None, item)]

    def _has_own_index(self, item: SchemaObject) -> bool:
        """Return whether an inherited constraint exists before its table is attached."""
        return not item.is_foreign_key and self._is_new_partition(item)

    def _is_new_partition(self, item: SchemaObject) -> bool:
        """Return whether an object is a part of a table that is created and then attached."""
        table = self.after.relations.get(item.relation or "")
        is_partition = table is not None and partition_bound(table) is not None
        return is_partition and item.relation in self.new_relations

    def _alteration(self, item: SchemaObject) -> list[Step] | None:
        """Return the steps that alter an object; None if it changes with another one."""
        key, old = item.key, self.old_of(item.key)
        steps: list[Step] | None
        if item.kind not in KNOWN and body(old) != body(item):
            return []  # It is not known how.
        if item.kind == "column":
            if item.relation in self.new_relations or self.is_inherited_change(key):
                return None
            if (
                item.relation in self.after.relations
                and self.after.relations[item.relation].kind in VIEWS
            ):
                return [*view_default(old, item), *comment_steps(old, item)] or None
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

    def _finishes(self) -> Iterator[Change]:
        """Yield what can be done only when everything exists."""
        for key in sorted(self.created | self.changed | self.replaced):
            item = self.after.objects[key]
            if item.kind == "sequence" and not is_identity(item):
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


def _lines(item: SchemaObject | None) -> list[str] | None:
    return None if item is None else item.definition_lines
