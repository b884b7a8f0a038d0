"""The statements of one migration with what has come into a schema, and those that revert it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...engine.alterations.changes import Change, schema_changes
from ...engine.alterations.definition import Key, SchemaDefinition
from ...engine.alterations.renames import Rename
from ...engine.alterations.steps import Effect
from ...engine.sql.removals import removes
from .migration_file import BEGIN, END
from .statement_groups import StatementGroup

READ_BY_CODE = ("table", "foreign table", "column", "view", "materialized view")
"""Kinds that running code may use: they go when it does no longer run."""


@dataclass(frozen=True)
class UpdatePart:
    """The changes of one migration, and those that revert it.

    Attributes:
        renames: what is renamed first, and back at the end.
        grants, revokes: the statements about privileges, last in either direction.
    """

    changes: Sequence[Change] = ()
    reverse: Sequence[Change] = ()
    renames: Sequence[Rename] = ()
    grants: Sequence[str] = ()
    revokes: Sequence[str] = ()

    @classmethod
    def between(cls, before: SchemaDefinition, after: SchemaDefinition) -> UpdatePart:
        return cls(schema_changes(before, after), schema_changes(after, before))

    def groups(self) -> list[StatementGroup]:
        """Return a group for each relation that changes, and one with all of the reverse."""
        groups = [BEGIN]
        for rename in self.renames:
            groups.append(StatementGroup(rename.item.name, [f"{rename.forwards};"]))
        for change in self.changes:
            subject = change.item.relation or change.item.name
            if groups[-1].subject != subject:
                groups.append(StatementGroup(subject))
            groups[-1].forwards += statements([change])
        if self.grants:
            groups.append(StatementGroup("", [*self.grants]))
        back = [*BEGIN.forwards, *statements(self.reverse)]
        back += [f"{rename.backwards};" for rename in reversed(self.renames)]
        return [*groups, END, StatementGroup("", [], [*back, *self.revokes, *END.forwards])]

    def stage(self) -> str:
        """Return the stage that it needs: "" for one that removes nothing."""
        texts = ["\n".join(group.forwards) for group in self.groups()]
        if removes("\n".join(texts)):
            return "after"
        # A view that is dropped by one operation and created by another one has only changed.
        return "before" if any(map(removes, texts)) else ""


def statements(changes: Iterable[Change]) -> list[str]:
    return [f"{step.sql};" for change in changes for step in change.steps]


def schema_with_labels(past: SchemaDefinition, live: SchemaDefinition) -> SchemaDefinition | None:
    """Return a schema with no more than the new labels of enums, if others changes use them.

    The transaction that adds a label cannot use it.
    """
    changes = schema_changes(past, live)
    added = {change.item.key for change in changes if _labels(change)}
    labels = {
        label
        for _, name in added
        for label in live.objects["type", name].values("label ")
        if label not in past.objects["type", name].values("label ")
    }
    others = "".join(statements(each for each in changes if each.item.key not in added))
    if not any(label in others for label in labels):
        return None
    return replace(past, objects={**past.objects, **{key: live.objects[key] for key in added}})


def _labels(change: Change) -> bool:
    return any(step.effect is Effect.ADDS_LABEL for step in change.steps)


def schema_before_removals(
    past: SchemaDefinition, live: SchemaDefinition
) -> SchemaDefinition | None:
    """Return the live schema with what running code may use of the past one.

    Returns None if nothing of that goes, or nothing else changes.
    """
    gone = past.objects.keys() - live.objects.keys()
    kept = {key for key in gone if key[0] in READ_BY_CODE} | set(_parts(past, gone))
    if not kept:
        return None
    objects = {**live.objects, **{key: past.objects[key] for key in kept}}
    if not schema_changes(past, found := replace(live, objects=objects)):
        return None
    needs = {
        key: live.needs.get(key, set()) | (past.needs.get(key, set()) if key in kept else set())
        for key in objects
    }
    columns = {name: [*items] for name, items in live.columns.items()}
    for name, items in past.columns.items():
        columns.setdefault(name, []).extend(item for item in items if item.key in kept)
    return replace(found, needs=needs, columns=columns)


def _parts(past: SchemaDefinition, gone: Iterable[Key]) -> Iterator[Key]:
    """Yield what goes with the tables and columns that do."""
    names = {key for key in gone if key[0] in READ_BY_CODE}
    for key in gone:
        owner = past.relations.get(past.objects[key].relation or "")
        if (owner is not None and owner.key in names) or past.needs.get(key, set()) & names:
            yield key
