"""The text of a migration with what has come into a schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.writer import MigrationWriter

from ...engine.alterations.changes import Change, schema_changes
from ...engine.alterations.definition import SchemaDefinition
from ...engine.alterations.steps import Effect
from ...engine.sources.files import MigrationKey
from .migration_file import BEGIN, END, HEADER, run_sql
from .model_changes import draft_label
from .statement_groups import StatementGroup

PLACEHOLDER = "the statements"
PLACE = re.compile(rf"^( *)migrations\.RunSQL\(\n *sql={PLACEHOLDER!r},\n *\),\n", re.MULTILINE)


@dataclass(frozen=True)
class UpdatePart:
    """The changes of one migration, and those that revert it."""

    changes: Sequence[Change]
    reverse: Sequence[Change]

    @classmethod
    def between(cls, before: SchemaDefinition, after: SchemaDefinition) -> UpdatePart:
        return cls(schema_changes(before, after), schema_changes(after, before))


def update_parts(past: SchemaDefinition, live: SchemaDefinition) -> list[UpdatePart]:
    """Return what turns one schema into another, a migration each; [] if they are the same.

    There are two if labels of an enum are used, because the transaction that adds one cannot.
    """
    whole = UpdatePart.between(past, live)
    added = {change.item.key for change in whole.changes if _labels(change)}
    labels = {
        label
        for _, name in added
        for label in live.objects["type", name].values("label ")
        if label not in past.objects["type", name].values("label ")
    }
    others = "".join(statements(each for each in whole.changes if each.item.key not in added))
    if not any(label in others for label in labels):
        return [whole] if whole.changes else []
    objects = {**past.objects, **{key: live.objects[key] for key in added}}
    middle = replace(past, objects=objects)
    return [UpdatePart.between(past, middle), UpdatePart.between(middle, live)]


def _labels(change: Change) -> bool:
    return any(step.effect is Effect.ADDS_LABEL for step in change.steps)


def statements(changes: Iterable[Change]) -> list[str]:
    return [f"{step.sql};" for change in changes for step in change.steps]


def migration_text(
    label: str, part: UpdatePart, *, after: Sequence[str], states: Migration | None, command: str
) -> tuple[MigrationKey, str]:
    """Return a migration's name and its source.

    Arguments:
        label: of the app.
        after: the names of the app's last migrations.
        states: the operations on the models, and what they depend on.
        command: the arguments of the command, for the first line.
    """
    numbers = [int(found[0]) for name in after if (found := re.match(r"\d+", name))]
    name = f"{max(numbers, default=0) + 1:04d}_update_{_slug(part.changes)}"
    migration = Migration(name, label)
    vars(migration).update(
        dependencies=[
            *((label, leaf) for leaf in after),
            *(states.dependencies if states else ()),
        ],
        operations=[
            SeparateDatabaseAndState(
                database_operations=[RunSQL(PLACEHOLDER)],
                state_operations=list(states.operations) if states else [],
            )
        ],
    )
    source = MigrationWriter(migration, include_header=False).as_string()
    source = source.replace(f"{draft_label(label)}.", f"{label}.")
    groups = _groups(part)

    def operations(place: re.Match[str]) -> str:
        return "".join("\n".join(run_sql(group, place[1])) + ",\n" for group in groups)

    head = HEADER.format(schema=command)
    return MigrationKey(label, name), f"{head}\n\n" + PLACE.sub(operations, source, count=1)


def _groups(part: UpdatePart) -> list[StatementGroup]:
    """Return a group for each relation that changes, and one with all of the reverse."""
    groups = [BEGIN]
    for change in part.changes:
        subject = change.item.relation or change.item.name
        if groups[-1].subject != subject:
            groups.append(StatementGroup(subject))
        groups[-1].forwards += statements([change])
    back = [*BEGIN.forwards, *statements(part.reverse), *END.forwards]
    return [*groups, END, StatementGroup("", [], back)]


def _slug(changes: Sequence[Change]) -> str:
    names = dict.fromkeys(
        change.item.relation or change.item.parts[1] for change in changes if change.steps
    )
    words = re.sub(r"\W+", "_", "_".join(list(names)[:2])).strip("_").lower()
    return words[:40] or "schema"
