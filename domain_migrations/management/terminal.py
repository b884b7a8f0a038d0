"""What is nicer on a terminal: columns, colour, and a line that shows what is running.

Drawn by rich, which is optional: without it, through a pipe, and where no colour is wanted,
the same is printed as plain lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, OutputWrapper
from django.db.migrations.migration import Migration

from ..engine.runner.options import MigrateOptions
from .console import START_MESSAGES, ConsoleReporter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

TIME_COLUMN = 72
"""The column where the seconds of migrations stand below one another."""


class TerminalCommand(BaseCommand):
    """A command that knows NO_COLOR; ``--force-color`` is stronger."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        if os.environ.get("NO_COLOR") and not options.get("force_color"):
            options["no_color"] = True
        return super().execute(*args, **options)


class _NoNewlineWriter:
    """A command's output for whoever ends lines himself; Django's ends every write with one."""

    def __init__(self, wrapped: OutputWrapper) -> None:
        self.wrapped = wrapped

    def write(self, text: str) -> None:
        self.wrapped.write(text, ending="")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)


def rich_console(command: BaseCommand) -> Console | None:
    """Return the terminal that the command writes to; None where plain lines are better."""
    coloured = command.style.SUCCESS(".") != "."
    if not command.stdout.isatty() or not coloured:
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    file: Any = _NoNewlineWriter(command.stdout)
    console = Console(
        file=file, force_terminal=True, no_color=False, highlight=False, emoji=False, markup=False
    )
    return None if console.is_dumb_terminal else console


@contextmanager
def console_reporter(command: BaseCommand, options: MigrateOptions) -> Iterator[ConsoleReporter]:
    """Give what tells of a run, as fits where the command writes to."""
    console = rich_console(command) if options.verbosity >= 1 else None
    if console is None:
        yield ConsoleReporter(command, options)
        return
    reporter = TerminalReporter(command, options, console)
    try:
        yield reporter
    finally:
        reporter.stop()


class TerminalReporter(ConsoleReporter):
    """Shows the running migration and for how long, and leaves a line when it is over."""

    def __init__(self, command: BaseCommand, options: MigrateOptions, console: Console) -> None:
        super().__init__(command, options)
        self.console = console
        self.running: Progress | None = None
        self.line = ""

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if action in START_MESSAGES:
            self.stop()
            self.line = START_MESSAGES[action].format(migration)
            self.started = self.clock()
            self._show(self.line.strip())
            return
        self.stop()
        style = self.command.style
        ok = "DONE" if action == "render_success" else "FAKED" if fake else "OK"
        end, paint = ("FAILED", style.ERROR) if action == "failure" else (ok, style.SUCCESS)
        space = " " * (TIME_COLUMN - len(self.line) - len(end) - 1)
        took = f"{self.clock() - self.started:8.2f} s"
        self.command.stdout.write(f"{self.line} {paint(end)}{space}{took}")

    def on_note(self, message: str) -> None:
        shown = self.running is not None
        self.stop()
        super().on_note(message)
        if shown:
            self._show(self.line.strip())

    def warning(self, message: str) -> None:
        self.stop()
        super().warning(message)

    def _show(self, what: str) -> None:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.running = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.running.add_task(what, total=None)
        self.running.start()

    def stop(self) -> None:
        """Take the line away; whatever happens, or the terminal would be left without cursor."""
        if self.running is not None:
            self.running.stop()
            self.running = None
