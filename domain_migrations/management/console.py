"""What the migrating commands print for people."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.migration import Migration

from ..domains import Domain
from ..engine.messages import shortened
from ..engine.runner.options import MigrateOptions
from ..engine.runner.reporter import Reporter
from ..engine.runner.results import DomainResult, RunResult
from ..exceptions import EXIT_FAILED, DomainMigrationsError
from .plan_output import dry_run_summary, print_steps

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
"""The colour of each result."""


class ConsoleReporter(Reporter):
    """Prints what a run does, in the words of Django's own ``migrate``."""

    def __init__(self, command: BaseCommand, options: MigrateOptions) -> None:
        self.command = command
        self.options = options
        self.started = 0.0
        self.unended = ""

    def on_domain_start(self, domain: Domain) -> None:
        # A plan has nothing to tell before it is made; its heading is printed with its steps.
        if self.options.verbosity >= 1 and not self.options.plan:
            self.command.stdout.write(_heading(self.command, domain.name, domain.schema))

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if self.options.verbosity < 1:
            return
        if action in START_MESSAGES:
            self.started = self.clock()
            self._begin(START_MESSAGES[action].format(migration))
            return
        self.unended = ""
        took = f" ({self.clock() - self.started:.3f}s)" if self.options.verbosity > 1 else ""
        if action == "failure":
            self.command.stdout.write(self.command.style.ERROR(" FAILED"))
            return
        done = "DONE" if action == "render_success" else "FAKED" if fake else "OK"
        self.command.stdout.write(self.command.style.SUCCESS(f" {done}{took}"))

    def on_note(self, message: str) -> None:
        if self.options.verbosity < 1:
            return
        begun = self.unended
        if begun:
            self.command.stdout.write("")
        self.command.stdout.write(f"  {message}")
        # Through a pipe it would come when the wait that it tells of is over.
        self.command.stdout.flush()
        if begun:
            self._begin(begun)

    def _begin(self, line: str) -> None:
        """Write a line that is ended when it is known how what it tells of has ended."""
        self.unended = line
        self.command.stdout.write(line, ending="")
        self.command.stdout.flush()

    def warning(self, message: str) -> None:
        self.command.stderr.write(self.command.style.WARNING(message))


class JsonReporter(Reporter):
    """Tells people on standard error, because standard output is the object's alone."""

    def __init__(self, command: BaseCommand, verbosity: int) -> None:
        self.command = command
        self.verbosity = verbosity

    def on_note(self, message: str) -> None:
        if self.verbosity >= 1:
            self.command.stderr.write(message, str)  # not red: nothing is wrong
            self.command.stderr.flush()

    def warning(self, message: str) -> None:
        self.command.stderr.write(self.command.style.WARNING(message))


def print_result(command: BaseCommand, result: RunResult, options: MigrateOptions) -> None:
    """Print what became of each domain: a line, or the plan."""
    longest = max((len(domain.domain) + 1 for domain in result.domains), default=0)
    for domain in result.domains:
        for key in domain.unknown:
            command.stderr.write(
                command.style.WARNING(
                    f"Warning: {key} is in {domain.history_table} but not on disk. Newer code was"
                    " deployed here before; nothing was done about it."
                )
            )
        if options.plan or options.verbosity >= 1:
            again = options.is_dry_run and domain.steps and len(result.domains) > 1
            if domain.schema and (again or (options.plan and options.verbosity >= 1)):
                command.stdout.write(_heading(command, domain.domain, domain.schema))
            print_steps(command, domain, options)
            rolled_back = options.is_dry_run and domain.status == "planned"
            what = dry_run_summary(domain, options) if rolled_back else summary(domain)
            paint = getattr(command.style, STATUS_STYLE.get(domain.status, ""), str)
            name = f"{domain.domain}:".ljust(longest if command.stdout.isatty() else 0)
            command.stdout.write(f"{name} {paint(what)}{_waiting(domain, options)}")


def _heading(command: BaseCommand, name: str, schema: str | None) -> str:
    return command.style.MIGRATE_HEADING(f"Domain {name} (schema {schema}):")


def summary(result: DomainResult) -> str:
    """Return a domain's result in a few words."""
    applied, reverted = len(result.applied), len(result.reverted)
    if result.status == "migrated":
        parts = [f"{applied} applied"] if applied else []
        parts += [f"{reverted} undone"] if reverted else []
        return f"{', '.join(parts) or 'migrated'} in {result.seconds:.1f} s"
    if result.status == "unchanged":
        return "nothing to do"
    if result.status == "pending" and not result.pending:
        return "something to undo"
    if result.status == "planned" and any(step.backwards for step in result.steps or ()):
        return f"{len(result.steps or ())} to undo"
    if result.status in ("pending", "planned"):
        return f"{len(result.pending)} pending"
    if result.status == "skipped":
        return "skipped, because core failed"
    return f"{result.status} ({applied} applied, {len(result.pending)} pending)"


def _waiting(result: DomainResult, options: MigrateOptions) -> str:
    """Return what the run has left for the other stage, as the end of the domain's line."""
    done = options.stage == "before" and result.status in ("migrated", "unchanged")
    return f"; {len(result.pending)} left for --stage after" if done and result.pending else ""


def raise_for_result(result: RunResult) -> None:
    """End the command with the status of the contract where something is not as it should be.

    Raises:
        CommandError: with a sentence for each domain that failed, was refused or is pending.
    """
    sentences = [sentence for domain in result.domains if (sentence := _sentence(domain))]
    if sentences:
        raise CommandError("\n".join(sentences), returncode=result.exit_status or EXIT_FAILED)


def raise_for_domain(result: DomainResult) -> None:
    """As :func:`raise_for_result`, for one domain.

    Raises:
        CommandError: with a sentence where the domain failed or was refused.
    """
    if sentence := _sentence(result):
        raise CommandError(sentence, returncode=result.exit_status or EXIT_FAILED)


def _sentence(result: DomainResult) -> str:
    if result.error is not None:
        return f"{result.error.message} {result.error.hint}".strip()
    if result.status == "pending" and not result.pending:
        return f'The domain "{result.domain}" has migrations that would be undone; see --plan.'
    if result.status == "pending":
        pending = shortened(result.pending)
        return f'The domain "{result.domain}" has pending migrations: {pending}.'
    return ""


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn errors of ours into what ends a command with a sentence and the contract's status.

    Raises:
        CommandError: in place of a ``DomainMigrationsError``.
    """
    try:
        yield
    except DomainMigrationsError as exc:
        raise CommandError(error_text(exc), returncode=exc.exit_status) from exc


def add_database_option(parser: ArgumentParser) -> None:
    """Give a command ``--database``, for the aliases that there are."""
    parser.add_argument(
        "--database",
        choices=tuple(connections),
        help=f'An alias in DATABASES; each domain\'s own, most often "{DEFAULT_DB_ALIAS}".',
    )


def error_text(exc: DomainMigrationsError) -> str:
    """Return an error as one line: what is wrong, then what to do."""
    return f"{exc.message} {exc.hint}".strip()
