"""Output on terminals: colour, tables and a progress line.

They need the optional library rich. Without it, without colour or through a pipe, the commands
print plain lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, OutputWrapper

from ..api import MigrateOptions
from .console import ConsoleReporter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

TIME_COLUMN = 72
"""The column of the durations of migrations."""


class _NoNewlineWriter:
    """A command's output without the newline that Django appends to every write."""

    def __init__(self, wrapped: OutputWrapper) -> None:
        self.wrapped = wrapped

    def write(self, text: str) -> None:
        self.wrapped.write(text, ending="")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)


def rich_console(command: BaseCommand) -> Console | None:
    """Return the terminal that the command writes to; None for plain lines."""
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
def terminal_reporter(
    command: BaseCommand, options: MigrateOptions
) -> Iterator[TerminalReporter | None]:
    """Yield the reporter for a terminal; None for plain lines."""
    console = rich_console(command)
    if console is None:
        yield None
        return
    reporter = TerminalReporter(command, options, console)
    try:
        yield reporter
    finally:
        reporter.stop()


class TerminalReporter(ConsoleReporter):
    """Shows the running migration and its duration, and prints a line when it ends."""

    def __init__(self, command: BaseCommand, options: MigrateOptions, console: Console) -> None:
        super().__init__(
            command,
            options.verbosity,
            interactive=options.interactive,
            headings=not options.plan,
        )
        self.console = console
        self.running: Progress | None = None
        self.line = ""

    def begin(self, line: str) -> None:
        self.stop()
        self.line = line
        self._show()

    def end(self, word: str, style: Callable[[str], str]) -> None:
        self.stop()
        space = " " * (TIME_COLUMN - len(self.line) - len(word) - 1)
        duration = f"{self.clock() - self.started:8.2f} s"
        self.command.stdout.write(f"{self.line} {style(word)}{space}{duration}")

    def on_note(self, message: str) -> None:
        shown = self.running is not None
        self.stop()
        super().on_note(message)
        if shown:
            self._show()

    def on_warning(self, message: str) -> None:
        self.stop()
        super().on_warning(message)

    def _show(self) -> None:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.running = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.running.add_task(self.line.strip(), total=None)
        self.running.start()

    def stop(self) -> None:
        """Remove the progress line; otherwise the terminal's cursor would stay hidden."""
        if self.running is not None:
            self.running.stop()
            self.running = None
