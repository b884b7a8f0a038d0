"""The plan of a transfer, as text."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from django.core.management.base import BaseCommand

from ..api.transfer.transfer import TransferPlan
from ..domains import QualifiedName, get_domain_for


def print_plan(command: BaseCommand, plan: TransferPlan) -> None:
    """Print what would change, and what blocks it."""
    move, style, write = plan.move, command.style, command.stdout.write
    heading = f"Transfer {move.old_label} to {move.new_label}"
    write(style.MIGRATE_HEADING(f"{heading} ({_place(plan)})"))
    for title, lines in _parts(plan):
        if found := list(lines):
            write(style.MIGRATE_LABEL(f"{title}:"))
            for line in found:
                write(f"  {line}")
    _print_live(command, plan)
    if diff := plan.diff():
        write(style.MIGRATE_LABEL("Edits:"))
        write(diff)
    for blocker in plan.blockers:
        write(style.ERROR(f"Blocked: {blocker.message}"))
        if blocker.hint:
            write(indent(blocker.hint, "  "))


def print_next_step(command: BaseCommand, plan: TransferPlan) -> None:
    """Print what to do after the files were written, or would have been."""
    if not plan.is_written:
        command.stdout.write("Nothing was written.")
        return
    own = {plan.move.source_domain, plan.move.target_domain}
    is_about_others = any(get_domain_for(key.app) not in own for key in plan.migrations)
    run = "--all" if is_about_others else plan.move.source_domain.name
    next_step = command.style.SUCCESS(f"manage.py migrate_domain {run}")
    if plan.unfinished:
        check = command.style.SUCCESS("manage.py check")
        command.stdout.write(f"Edit what is left by hand, until this passes: {check}")
    command.stdout.write(f"The files were written. On each database: {next_step}")
    if plan.compat_view_until is not None:
        views = [QualifiedName.of(old).db_table for old in plan.move.tables]
        command.stdout.write(
            f"Old code has views until {plan.compat_view_until}. Once it has stopped, drop them in"
            f" a migration of {plan.move.source.label} with the stage after:"
            f" RemoveCompatViews({views})"
        )


def _place(plan: TransferPlan) -> str:
    domain = plan.move.target_domain
    return "core" if domain.is_core else f"the domain {domain.name}, schema {domain.schema}"


def _parts(plan: TransferPlan) -> Iterator[tuple[str, Iterator[str]]]:
    yield "Tables", (f"{old} to {new}" for old, new in plan.tables.items())
    yield "Migrations", (f"{key}" for key in plan.migrations)
    yield "Foreign keys that become references before", map(str, plan.conversions)
    yield "References that may become foreign keys afterwards", map(str, plan.offers)
    yield (
        "To be edited by hand",
        (
            f"{plan.shown_path(each.path)}:{each.line}: {each.text} ({each.reason})"
            for each in plan.by_hand
        ),
    )
    yield "System checks that fail until then", iter(plan.unfinished)


def _print_live(command: BaseCommand, plan: TransferPlan) -> None:
    """Print what the database has besides the models; what blocks is printed with the blockers."""
    live, write = plan.live, command.stdout.write
    if live is None:
        return
    label = command.style.MIGRATE_LABEL
    if not live.is_present:
        write(label(f'The database "{live.database}" has no such table yet.'))
    if live.followers:
        write(label("They go along with the tables:"))
        for kind, name in live.followers:
            write(f"  {kind} {name}")
    if objects := [each for each in live.objects if not each.blocks]:
        write(label(f'In the database "{live.database}":'))
    for each in objects:
        write(f"  {each.message}")
        for when, statements in (("before", each.before), ("after", each.after)):
            for statement in statements:
                write(f"    In a migration {when} the pair:")
                write(indent(statement, "      "))
