"""The plan of an adoption, as text."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat

from ..api.adopt.adopt import AdoptionPlan
from ..api.adopt.database_parts import TITLES
from ..api.adopt.database_plan import UNCHANGED, DatabasePlan
from ..engine.messages import counted


def print_plan(command: BaseCommand, plan: AdoptionPlan) -> None:
    """Print what would change, and what blocks it."""
    adoption, heading = plan.adoption, command.style.MIGRATE_HEADING
    verb = "Put back" if plan.backwards else "Adopt"
    to = "core" if plan.backwards else f"the domain {adoption.domain} (schema {adoption.schema})"
    command.stdout.write(heading(f"{verb} {', '.join(adoption.apps)} in {to}"))
    for title, lines in (*_of_code(plan), *_of_database(plan.database)):
        if found := list(lines):
            command.stdout.write(command.style.MIGRATE_LABEL(f"{title}:"))
            for line in found:
                command.stdout.write(f"  {line}")
    if diff := plan.code.diff() if plan.code is not None else plan.diff:
        command.stdout.write(command.style.MIGRATE_LABEL("Edits:"))
        command.stdout.write(diff)
    if plan.proof:
        command.stdout.write(
            command.style.WARNING(f"An empty database could not be migrated: {plan.proof}")
        )
    for blocker in plan.blockers:
        command.stdout.write(command.style.ERROR(f"Blocked: {blocker.message}"))
        if blocker.hint:
            command.stdout.write(f"  {blocker.hint}")


def _of_code(plan: AdoptionPlan) -> Iterator[tuple[str, Iterator[str]]]:
    if plan.code is None:
        return
    by_hand: list[str] = []
    mentions: list[str] = []
    for each in plan.code.mentions:
        place = f"{plan.code.shown_path(each.path)}:{each.line}: {each.text}"
        (by_hand if each.in_migration else mentions).append(place)
    yield "SQL in migrations, to be edited by hand", iter(by_hand)
    yield "Code that names a table, to be checked", iter(mentions)


def _of_database(plan: DatabasePlan) -> Iterator[tuple[str, Iterator[str]]]:
    if plan.blockers and not plan.tables:
        return
    if not plan.is_pending:
        yield f'Database "{plan.database}"', iter(["nothing to move"])
        return
    about = "" if plan.is_exact else "about "
    yield (
        f'Tables in the database "{plan.database}"',
        (
            f"{table.old} to {table.new}: {about}{table.rows} rows, {_size(table.size)}"
            for table in plan.tables
        ),
    )
    yield "Follow them", (f"{kind} {old} to {new}" for kind, old, new in plan.followers)
    yield (
        "Functions that name them, created again",
        (f"{each.identity}\n{indent(each.diff, '    ')}" for each in plan.functions.changed),
    )
    yield (
        "Functions that may name them",
        (
            f"{each.identity}, line {line}: {text}"
            for each in plan.functions.uncertain
            for line, text in each.lines
        ),
    )
    for kind, title in TITLES.items():
        found = plan.parts.get(kind, [])
        lines = (" ".join(f"{name} ({of}) {what}".split()) for name, of, what in found)
        yield title, lines
    yield "Foreign keys between them and others", (str(key) for key in plan.keys)
    yield "History", iter([f"{counted(plan.history_rows, 'row')} of django_migrations"])
    yield "Notes", iter(plan.notes or (UNCHANGED,))


def _size(size: int) -> str:
    return filesizeformat(size).replace("\xa0", " ")
