"""The output of the commands: progress, results and errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from textwrap import indent
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db.migrations.migration import Migration

from ..api import MigrateOptions, Reporter
from ..domains import Domain
from ..engine.messages import counted, shortened
from ..engine.runner.adoption_results import AppliedMove
from ..engine.runner.results import DomainResult, ErrorInfo, PlannedMigration, RunResult
from ..engine.sources.stages import stage_suffix
from ..exceptions import EXIT_FAILED, DomainMigrationsError, RunStopped
from .interrupts import signals_as_interrupts

START_MESSAGES = {
    "apply_start": "  Applying {}...",
    "unapply_start": "  Unapplying {}...",
    "render_start": "  Rendering model states...",
}

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


def ask_to_continue(output: OutputWrapper, effect: str) -> None:
    """Print what would happen, and ask whether to go on.

    Raises:
        CommandError: the answer is not yes, or standard input is closed.
    """
    output.write(f"{effect} Continue? [y/N] ", str, ending="")
    output.flush()
    try:
        answer = input()
    except EOFError:
        raise CommandError("No input; use --noinput to continue without asking.") from None
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was changed.")


class CommandReporter(Reporter):
    """Prints warnings to the command's standard error, and asks before migrations are reverted.

    Arguments:
        interactive: whether to ask, where standard input is a terminal.
    """

    def __init__(self, command: BaseCommand, verbosity: int, *, interactive: bool = False) -> None:
        self.command = command
        self.verbosity = verbosity
        self.interactive = interactive
        self.confirms_reverts = interactive or verbosity >= 1

    @property
    def stdout(self) -> OutputWrapper:
        return self.command.stdout

    def confirm_revert(self, losses: str) -> None:
        if self.interactive and sys.stdin.isatty():
            ask_to_continue(self.command.stderr, losses)
        else:
            self.on_note(losses)

    def on_warning(self, message: str) -> None:
        self.command.stderr.write(self.command.style.WARNING(message))


class JsonReporter(CommandReporter):
    """Prints notes to standard error too; standard output is for the JSON object."""

    @property
    def stdout(self) -> OutputWrapper:
        return self.command.stderr

    def on_note(self, message: str) -> None:
        if self.verbosity >= 1:
            self.command.stderr.write(message, str)  # without the style of errors
            self.command.stderr.flush()


class ConsoleReporter(CommandReporter):
    """Prints the progress of a run, in the words of Django's own ``migrate``.

    Attributes:
        headings: whether each domain gets a heading. A plan prints it with its steps instead.
    """

    def __init__(
        self,
        command: BaseCommand,
        verbosity: int,
        *,
        interactive: bool = False,
        headings: bool = True,
    ) -> None:
        super().__init__(command, verbosity, interactive=interactive)
        self.headings = headings
        self.started = 0.0
        self.open_line = ""

    def on_domain_start(self, domain: Domain) -> None:
        if self.verbosity >= 1 and self.headings:
            self.command.stdout.write(_heading(self.command, domain.name, domain.schema))

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if self.verbosity < 1:
            return
        if action in START_MESSAGES:
            self.started = self.clock()
            self.begin(START_MESSAGES[action].format(migration))
        elif action == "failure":
            self.end("FAILED", self.command.style.ERROR)
        else:
            done = "DONE" if action == "render_success" else "FAKED" if fake else "OK"
            self.end(done, self.command.style.SUCCESS)

    def begin(self, line: str) -> None:
        """Write a line without its end, which follows when its action succeeds or fails."""
        self.open_line = line
        self.command.stdout.write(line, ending="")
        self.command.stdout.flush()

    def end(self, word: str, style: Callable[[str], str]) -> None:
        self.open_line = ""
        is_timed = self.verbosity > 1 and word != "FAILED"
        duration = f" ({self.clock() - self.started:.3f}s)" if is_timed else ""
        self.command.stdout.write(style(f" {word}{duration}"))

    def on_note(self, message: str) -> None:
        if self.verbosity < 1:
            return
        line = self.open_line
        if line:
            self.command.stdout.write("")
        self.command.stdout.write(f"  {message}")
        # Without flushing, a pipe would receive the note only after the wait that it announces.
        self.command.stdout.flush()
        if line:
            self.begin(line)


class JsonResult(Protocol):
    def as_json(self) -> dict[str, Any]: ...


def stdout_for_json(options: dict[str, Any]) -> AbstractContextManager[object]:
    """Send to standard error what migrations and receivers print while a JSON object is made."""
    return redirect_stdout(sys.stderr) if options["format"] == "json" else nullcontext()


def print_json(command: BaseCommand, result: JsonResult) -> None:
    """Print a result as one JSON object."""
    text = json.dumps(result.as_json(), ensure_ascii=False)
    # Lone surrogates, which no encoding of a terminal has, as JSON writes them.
    command.stdout.write(text.encode(errors="backslashreplace").decode())


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
                command.stdout.write(_heading(command, domain.domain, domain.schema))
            _print_steps(command, domain, options)
            rolled_back = options.is_dry_run and domain.status == "planned"
            text = _dry_run_summary(domain, options) if rolled_back else summary(domain)
            style = getattr(command.style, STATUS_STYLE.get(domain.status, ""), str)
            name = f"{domain.domain}:".ljust(longest if command.stdout.isatty() else 0)
            command.stdout.write(f"{name} {style(text)}{_left_for_after(domain, options)}")


def _heading(command: BaseCommand, name: str, schema: str | None) -> str:
    return command.style.MIGRATE_HEADING(f"Domain {name} (schema {schema}):")


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
        verb = "revert " if step.backwards else ""
        stage = "" if step.backwards else stage_suffix(step.key)
        duration = f" ({step.seconds:.3f} s)" if options.is_dry_run else ""
        command.stdout.write(command.style.MIGRATE_HEADING(f"  {verb}{step.key}{duration}{stage}"))
        for line in _step_lines(step, options):
            command.stdout.write(f"    {line}")
    for key, reason in result.not_rehearsed:
        command.stdout.write(command.style.WARNING(f"  not rehearsed: {key}. {reason}"))


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
        yield f"rewrites {relation}: about {rows} rows"


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


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn the engine's errors, and signals, into ``CommandError`` with their exit status."""
    try:
        with signals_as_interrupts():
            yield
    except DomainMigrationsError as exc:
        raise CommandError(error_text(exc), returncode=exc.exit_status) from exc
    except KeyboardInterrupt as exc:
        stopped = RunStopped.by(exc, "The command", kept="What was finished before is kept.")
        raise CommandError(error_text(stopped), returncode=stopped.exit_status) from exc


def error_text(exc: DomainMigrationsError | ErrorInfo) -> str:
    """Return the message and the hint of an error as one line."""
    return f"{exc.message} {exc.hint}".strip()
