"""The progress of a fleet: a line for each site, or a table of those that run on a terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.db.migrations.migration import Migration

from ..api.fleet.sites import Site
from ..api.fleet.workers import FleetReporter, Outcome
from ..engine.runner.parallel import replay
from ..engine.runner.results import Reporter
from .console import START_MESSAGES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

Describe = Callable[[Any], tuple[str, str, str]]
"""Returns a site's status, what is said about it and the name of the style."""


class SiteLines(Reporter):
    """Prints what a site has reported, with its name before each line.

    Arguments:
        verbosity: warnings are always printed, everything else from 2 on.
    """

    def __init__(self, command: BaseCommand, site: str, verbosity: int) -> None:
        self.command, self.site, self.verbosity = command, site, verbosity

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if action in START_MESSAGES:
            self.on_note(START_MESSAGES[action].format(migration).strip())

    def on_output(self, text: str) -> None:
        self.on_note(text.rstrip("\n"))

    def on_note(self, message: str) -> None:
        if self.verbosity > 1:
            self.command.stderr.write(f"{self.site}: {message}", str)

    def on_warning(self, message: str) -> None:
        line = f"{self.site}: {message}"
        self.command.stderr.write(self.command.style.WARNING(line), str)


class FleetLines(FleetReporter):
    """Prints a line for each site that is done.

    Arguments:
        describe: says what is printed about a site.
        is_quiet: whether only warnings are printed, since standard output is for JSON.
    """

    def __init__(
        self, command: BaseCommand, verbosity: int, describe: Describe, *, is_quiet: bool = False
    ) -> None:
        self.command, self.verbosity, self.describe = command, verbosity, describe
        self.is_quiet = is_quiet or verbosity < 1
        self.counts: Counter[str] = Counter()
        self.total = 0

    def on_start(self, sites: Sequence[Site]) -> None:
        self.total = len(sites)

    def on_site_wait(self, site: Site, message: str) -> None:
        if not self.is_quiet:
            self.line(f"{site.name}: {message}", str)

    def on_site_end(self, outcome: Outcome, result: Any) -> None:
        status, text, style = self.describe(result)
        self.counts[status] += 1
        replay(outcome.events, SiteLines(self.command, outcome.site.name, self.verbosity))
        if not self.is_quiet:
            done = f"{self.counts.total():{len(str(self.total))}}/{self.total}"
            styled: Callable[[str], str] = getattr(self.command.style, style, str)
            self.line(f"{done}  {outcome.site.name}: {styled(text)}", str)

    def on_warning(self, message: str) -> None:
        self.command.stderr.write(self.command.style.WARNING(message), str)
        self.command.stderr.flush()

    def line(self, text: str, style: Callable[[str], str]) -> None:
        """Write a line that a pipe gets immediately."""
        self.command.stdout.write(style(text))
        self.command.stdout.flush()


class FleetTable(FleetLines):
    """Shows the sites that run, for how long, and how many are done, below the lines.

    It has no thread, because the command forks: time passes when the fleet says so.
    """

    shows_time = True

    def __init__(self, *arguments: Any, console: Console, live: Live) -> None:
        super().__init__(*arguments)
        self.console, self.live = console, live
        self.running: dict[str, float] = {}

    def on_start(self, sites: Sequence[Site]) -> None:
        super().on_start(sites)
        self.on_tick()

    def on_site_start(self, site: Site) -> None:
        self.running[site.name] = time.monotonic()

    def on_site_end(self, outcome: Outcome, result: Any) -> None:
        self.running.pop(outcome.site.name, None)
        super().on_site_end(outcome, result)

    def line(self, text: str, style: Callable[[str], str]) -> None:
        from rich.text import Text

        self.live.console.print(Text.from_ansi(style(text)))

    def on_warning(self, message: str) -> None:
        self.line(message, self.command.style.WARNING)

    def on_tick(self) -> None:
        self.live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(justify="right")
        for name, started in self.running.items():
            table.add_row(f"  {name}", f"{time.monotonic() - started:.0f} s")
        counts = ", ".join(f"{number} {status}" for status, number in self.counts.items())
        table.add_row(f"{self.counts.total()} of {self.total} done: {counts or 'none yet'}", "")
        return table


@contextmanager
def fleet_reporter(
    command: BaseCommand, options: dict[str, Any], describe: Describe
) -> Iterator[FleetReporter]:
    """Yield the reporter for the command's output: a terminal, plain lines, or none with JSON."""
    verbosity, as_json = options["verbosity"], options["format"] == "json"
    console = None
    if verbosity >= 1 and not as_json and command.stdout.isatty():
        from .terminal import rich_console

        console = rich_console(command)
    if console is None:
        yield FleetLines(command, verbosity, describe, is_quiet=as_json)
        return
    from rich.live import Live

    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield FleetTable(command, verbosity, describe, console=console, live=live)
