"""The output of the commands: progress, results and errors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any, Protocol

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from ..api import MigrateOptions, Reporter
from ..domains import Domain
from ..engine.runner.options import SECONDS
from ..engine.runner.results import ErrorInfo
from ..engine.sessions.offered_options import offering
from ..exceptions import DomainMigrationsError, RunStopped
from .interrupts import ignore_signals, signals_as_interrupts

if TYPE_CHECKING:
    from django.db.migrations.migration import Migration


START_MESSAGES = {
    "apply_start": "  Applying {}...",
    "unapply_start": "  Unapplying {}...",
    "render_start": "  Rendering model states...",
}


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


class TerminalCommand(BaseCommand):
    """A command that respects NO_COLOR; ``--force-color`` overrides it.

    Errors advise its own options. A signal ends it with a sentence, also while it prints; what
    says how it ended is not interrupted by another one.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        if os.environ.get("NO_COLOR") and not options.get("force_color"):
            options["no_color"] = True
        waits = [f"--{name.replace('_', '-')}" for name in SECONDS if name in options]
        try:
            with command_errors(), offering(waits):
                return super().execute(*args, **options)
        except CommandError:
            if self._called_from_command_line:  # type: ignore[attr-defined]
                ignore_signals()
            raise


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
            self.command.stdout.write(heading(self.command, domain.name, domain.schema))

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


@contextmanager
def console_reporter(command: BaseCommand, options: MigrateOptions) -> Iterator[ConsoleReporter]:
    """Yield the reporter for the command's output: a terminal or plain lines."""
    plain = ConsoleReporter(
        command,
        options.verbosity,
        interactive=options.interactive,
        headings=not options.plan,
    )
    if options.verbosity < 1 or not command.stdout.isatty():
        yield plain
        return
    from .terminal import terminal_reporter  # Jobs and pipes, where speed matters, are none.

    with terminal_reporter(command, options) as reporter:
        yield reporter or plain


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


def heading(command: BaseCommand, name: str, schema: str | None) -> str:
    """Return the line above what is said about a domain."""
    return command.style.MIGRATE_HEADING(f"Domain {name} (schema {schema}):")


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
