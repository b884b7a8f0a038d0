"""What the migrating commands print of each migration of a plan or a dry run."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.management.base import BaseCommand

from ..engine.runner.options import MigrateOptions
from ..engine.runner.results import DomainResult, PlannedMigration
from ..engine.sources.stages import stage_suffix


def print_steps(command: BaseCommand, result: DomainResult, options: MigrateOptions) -> None:
    """Print a domain's migrations: what they are to do, or what they did."""
    for step in result.steps or ():
        undo = "undo " if step.backwards else ""
        after = "" if step.backwards else stage_suffix(step.key)
        took = f" ({step.seconds:.3f} s)" if options.is_dry_run else ""
        command.stdout.write(command.style.MIGRATE_HEADING(f"  {undo}{step.key}{took}{after}"))
        for line in _lines(step, options):
            command.stdout.write(f"    {line}")
    for key, reason in result.not_rehearsed:
        command.stdout.write(command.style.WARNING(f"  not rehearsed: {key}. {reason}"))


def dry_run_summary(result: DomainResult, options: MigrateOptions) -> str:
    """Return what came of a dry run in a few words."""
    done, left = len(result.steps or ()), len(result.not_rehearsed)
    parts = [f"{done} run and rolled back"]
    if options.rehearse:
        parts = [f"{done} applied, undone, applied again and rolled back"]
    return ", ".join([*parts, *([f"{left} not rehearsed"] if left else [])])


def _lines(step: PlannedMigration, options: MigrateOptions) -> Iterator[str]:
    yield from step.operations
    yield from step.notes
    if not options.is_dry_run:
        return
    for statement in step.sql:
        yield from (f"  {line}" for line in statement.splitlines())
    for relation, mode in step.locks.items():
        yield f"locks {relation}: {mode}"
    for relation, rows in step.rewritten.items():
        yield f"rewrites {relation}: about {rows} rows"
