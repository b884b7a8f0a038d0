"""The text of a migration with what has come into a schema."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.writer import MigrationWriter

from ...engine.alterations.definition import SchemaObject
from ...engine.sources.files import MigrationKey
from .migration_file import HEADER, run_sql
from .model_changes import draft_label
from .update_part import UpdatePart

PLACEHOLDER = "the statements"
PLACE = re.compile(rf"^( *)migrations\.RunSQL\(\n *sql={PLACEHOLDER!r},\n *\),\n", re.MULTILINE)


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
    name = f"{max(numbers, default=0) + 1:04d}_update_{_slug(part)}"
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
    groups = part.groups()
    if stage := part.stage():
        source = source.replace(
            "\n    operations = ", f'\n    stage = "{stage}"\n\n    operations = ', 1
        )

    def operations(place: re.Match[str]) -> str:
        return "".join("\n".join(run_sql(group, place[1])) + ",\n" for group in groups)

    head = HEADER.format(schema=command)
    return MigrationKey(label, name), f"{head}\n\n" + PLACE.sub(operations, source, count=1)


def _slug(part: UpdatePart) -> str:
    names = dict.fromkeys(
        [
            *(rename.item.parts[1] for rename in part.renames),
            *(_subject(change.item) for change in part.changes if change.steps),
        ]
    )
    words = re.sub(r"\W+", "_", "_".join(list(names)[:2])).strip("_").lower()
    return words[:40] or ("privileges" if part.grants else "schema")


def _subject(item: SchemaObject) -> str:
    if item.kind == "schema":
        return item.kind
    return item.relation or item.parts[1]
