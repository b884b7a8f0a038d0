"""The output of a run: its results, plans and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from ..api import MigrateOptions
from ..engine.messages import counted, shortened
from ..engine.runner.results import DomainResult, ErrorInfo, PlannedMigration, RunResult
from ..exceptions import EXIT_FAILED
from .console import error_text, heading

if TYPE_CHECKING:
    from ..engine.runner.adoption_results import AppliedMove

STATUS_STYLE = {
    "migrated": "SUCCESS",
    "pending": "WARNING",
    "planned": "WARNING",
    "failed": "ERROR",
    "refused": "ERROR",
    "busy": "ERROR",
    "skipped": "ERROR",
}
"""The style of each status; the others have none."""


def print_result(command: BaseCommand, result: RunResult, options: MigrateOptions) -> None:
    """Print the result of each domain: a line, or the plan."""
    longest = max((len(domain.domain) + 1 for domain in result.domains), default=0)
    for domain in result.domains:
        for key in domain.unknown:
            command.stderr.write(
                command.style.WARNING(
                    f"Warning: {key} is in {domain.history_table} but not on disk."
                    " Newer code may have applied it; it is ignored."
                )
            )
        if options.plan or options.verbosity >= 1:
            repeats_heading = options.is_dry_run and domain.steps and len(result.domains) > 1
            if domain.schema and (repeats_heading or (options.plan and options.verbosity >= 1)):
                command.stdout.write(heading(command, domain.domain, domain.schema))
            _print_steps(command, domain, options)
            rolled_back = options.is_dry_run and domain.status == "planned"
            text = _dry_run_summary(domain, options) if rolled_back else summary(domain)
            style = getattr(command.style, STATUS_STYLE.get(domain.status, ""), str)
            name = f"{domain.domain}:".ljust(longest if command.stdout.isatty() else 0)
            command.stdout.write(f"{name} {style(text)}{_left_for_after(domain, options)}")


def _print_steps(command: BaseCommand, result: DomainResult, options: MigrateOptions) -> None:
    for move in result.adoptions if options.is_read_only or options.is_dry_run else ():
        command.stdout.write(command.style.MIGRATE_HEADING(f"  {move}"))
        for statement in move.sql:
            command.stdout.write(f"    {statement};")
        for name, diff in move.functions:
            command.stdout.write(f"    create {name} again:")
            command.stdout.write(indent(diff, "      "))
    if result.history is not None and (options.is_read_only or options.is_dry_run):
        command.stdout.write(command.style.MIGRATE_HEADING(f"  {result.history}"))
        for line in result.history.lines():
            command.stdout.write(f"    {line}")
    for step in result.steps or ():
        _print_step(command, step, options)
    for key, reason in result.not_rehearsed:
        command.stdout.write(command.style.WARNING(f"  not rehearsed: {key}. {reason}"))


def _print_step(command: BaseCommand, step: PlannedMigration, options: MigrateOptions) -> None:
    from ..engine.sources.stages import stage_suffix  # Parsing is imported where it is needed.

    verb = "revert " if step.backwards else ""
    stage = "" if step.backwards else stage_suffix(step.key)
    duration = f" ({step.seconds:.3f} s)" if options.is_dry_run else ""
    command.stdout.write(command.style.MIGRATE_HEADING(f"  {verb}{step.key}{duration}{stage}"))
    for line in _step_lines(step, options):
        command.stdout.write(f"    {line}")


def _dry_run_summary(result: DomainResult, options: MigrateOptions) -> str:
    steps, left = result.steps or (), {key for key, _ in result.not_rehearsed}
    tried = sum(step.key not in left for step in steps) if options.rehearse else 0
    parts = [f"{tried} applied, reverted, reapplied and rolled back"] if tried else []
    if result.adoptions:
        parts.append(f"{_extent(result.adoptions, 'moved', 'dropped')} and rolled back")
    if len(steps) > tried or not parts:
        verb = "applied" if options.rehearse else "run"
        parts.append(f"{len(steps) - tried} {verb} and rolled back")
    return ", ".join(parts) + (f", {len(left)} not rehearsed" if left else "")


def _step_lines(step: PlannedMigration, options: MigrateOptions) -> Iterator[str]:
    yield from step.operations
    yield from step.notes
    if not options.is_dry_run:
        return
    for statement in step.sql:
        yield from (f"  {line}" for line in statement.splitlines())
    for relation, mode in step.locks.items():
        yield f"locks {relation}: {mode}"
    for relation, rows in step.rewritten.items():
        yield f"rewrites {relation}: about {counted(rows, 'row')}"


def summary(result: DomainResult) -> str:
    """Return the result of a domain in a few words."""
    applied, reverted = len(result.applied), len(result.reverted)
    moves = result.adoptions
    if result.status == "migrated":
        parts = [f"{applied} applied"] if applied else []
        parts += [f"{reverted} reverted"] if reverted else []
        parts += [_extent(moves, "moved", "dropped")] if moves else []
        parts += [f"{len(result.history.rows)} imported"] if result.history else []
        return f"{', '.join(parts) or 'migrated'} in {result.seconds:.1f} s"
    if result.status == "unchanged":
        return "nothing to do"
    if moves and result.status in ("pending", "planned"):
        left = f", {len(result.pending)} pending" if result.pending else ""
        return _extent(moves, "to move", "to drop") + left
    if result.history and not result.pending and result.status in ("pending", "planned"):
        return f"{counted(len(result.history.rows), 'row')} to bring in"
    if result.status == "pending" and not result.pending:
        return "something to revert"
    if result.status == "planned" and any(step.backwards for step in result.steps or ()):
        return f"{len(result.steps or ())} to revert"
    if result.status in ("pending", "planned"):
        return f"{len(result.pending)} pending"
    if result.status == "skipped":
        return "skipped, because core failed or the run was stopped"
    return f"{result.status} ({applied} applied, {len(result.pending)} pending)"


def _extent(moves: Sequence[AppliedMove], moved: str, dropped: str) -> str:
    """Return how many tables move, and how many views under old names go."""
    tables, views = (sum(each.tables for each in moves), sum(each.dropped_views for each in moves))
    parts = [f"{counted(tables, 'table')} {moved}"] if tables or not views else []
    parts += [f"{counted(views, 'view')} {dropped}"] if views else []
    return ", ".join(parts)


def _left_for_after(result: DomainResult, options: MigrateOptions) -> str:
    """Return the end of a domain's line if migrations are left for the other stage."""
    done = options.stage == "before" and result.status in ("migrated", "unchanged")
    return f"; {len(result.pending)} left for --stage after" if done and result.pending else ""


def print_tracebacks(
    command: BaseCommand, errors: Iterable[ErrorInfo | None], options: dict[str, Any]
) -> None:
    """Print the traceback of each error of the project's code, where it is asked for."""
    if options["traceback"] or options["verbosity"] >= 2:
        for error in errors:
            if error is not None and error.traceback:
                command.stderr.write(error.traceback)


def raise_for_domains(results: Iterable[DomainResult], exit_status: int) -> None:
    """Raise CommandError with a sentence for each domain that failed, was refused or is pending."""
    sentences = [sentence for result in results if (sentence := _sentence(result))]
    if sentences:
        raise CommandError("\n".join(sentences), returncode=exit_status or EXIT_FAILED)


def _sentence(result: DomainResult) -> str:
    if result.error is not None:
        return error_text(result.error)
    if result.status == "pending" and result.adoptions:
        moves = "; ".join(map(str, result.adoptions))
        return f'The domain "{result.domain}" has an adoption to run: {moves}.'
    if result.status == "pending" and result.history and not result.pending:
        return f'The domain "{result.domain}" has a history to import: {result.history}.'
    if result.status == "pending" and not result.pending:
        return f'The domain "{result.domain}" has migrations that would be reverted; see --plan.'
    if result.status == "pending":
        pending = shortened(result.pending)
        return f'The domain "{result.domain}" has pending migrations: {pending}.'
    return ""
