"""Parallel runs of domains, each in a process of its own.

A process for each domain rather than a pool: no domain is affected by what another one imports
or leaks, or by its crash.
"""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from django.db import connections
from django.db.migrations.migration import Migration

from ...domains import Domain, get_domain
from ...exceptions import MigrationFailed
from ..history.run_context import RunContext
from .options import MigrateOptions
from .processes import ProcessDied, Send, WorkProcess, close_connections
from .results import DomainResult, ErrorInfo, Reporter

Run = Callable[[str, MigrateOptions, RunContext, Reporter], DomainResult]
"""Runs one domain; importable by name, for platforms without ``fork``."""


def run_in_parallel(
    names: Sequence[str],
    options: MigrateOptions,
    context: RunContext,
    reporter: Reporter,
    *,
    run: Run,
    jobs: int,
) -> list[DomainResult]:
    """Run domains in processes, and return their results in the order of the names.

    What a domain reports is passed on when the domain is done, so that it stays together; only
    the runs that it waits for are reported immediately.

    Arguments:
        run: runs one domain, in a process of its own.
        jobs: how many processes at a time.
    """
    close_connections()
    waiting, results = deque(names), dict[str, DomainResult]()
    running: dict[Connection, _Job] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                job = _Job.start(waiting.popleft(), options, context, run)
                running[job.work.messages] = job
            for messages in wait(list(running)):
                job = running[messages]  # type: ignore[index]
                answer = job.answer()
                if isinstance(answer, str):
                    reporter.on_wait(answer)
                    continue
                del running[messages]  # type: ignore[arg-type]
                job.work.finish()
                result, events = answer
                replay(events, reporter)
                results[job.name] = result
    finally:
        for job in running.values():
            job.work.end()
    return [results[name] for name in names]


Event = tuple[float, str, tuple[Any, ...]]
"""When (seconds of the system's monotonic clock), the reporter's method, its arguments."""

Answer = tuple[DomainResult, Sequence[Event]] | str
"""The domain's result and everything it reported; before that, what it waits for."""


class RecordingReporter(Reporter):
    """Records all calls, in a form that can be sent from process to process.

    Arguments:
        waits: called immediately with a message about the runs that are waited for.
    """

    def __init__(self, waits: Callable[[str], None]) -> None:
        self.events: list[Event] = []
        self.waits = waits
        self.lines = _Lines(partial(self._record, "on_output"))

    @property
    def stdout(self) -> _Lines:
        return self.lines

    def on_domain_start(self, domain: Domain) -> None:
        self._record("on_domain_start", domain)

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        # Only the name is reported, and operations may contain what cannot be pickled.
        named = migration and Migration(migration.name, migration.app_label)
        self._record("progress", action, named, fake)

    def on_note(self, message: str) -> None:
        self._record("on_note", message)

    def on_wait(self, message: str) -> None:
        self.waits(message)

    def on_warning(self, message: str) -> None:
        self._record("on_warning", message)

    def _record(self, method: str, *arguments: Any) -> None:
        self.events.append((time.monotonic(), method, arguments))


class _Lines(io.TextIOBase):
    """A stream that calls a function with each line, which ends with a newline.

    Migrations and receivers of Django's signals print to standard output without asking.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.on_line = on_line
        self.rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.on_line(f"{line}\n")
        return len(text)

    def close(self) -> None:
        if self.rest:
            self.write("\n")
        super().close()


def replay(events: Sequence[Event], reporter: Reporter) -> None:
    """Report what another process has recorded, with the times at which it happened."""
    for seconds, method, arguments in events:
        reporter.clock = partial(float, seconds)
        getattr(reporter, method)(*arguments)
    reporter.clock = time.monotonic


@dataclass(frozen=True)
class _Job:
    """A domain and its process."""

    name: str
    work: WorkProcess

    @classmethod
    def start(cls, name: str, options: MigrateOptions, context: RunContext, run: Run) -> _Job:
        arguments = name, options, context, run
        return cls(name, WorkProcess.start(f"migrate {name}", _run_here, *arguments))

    def answer(self) -> Answer:
        """Return the next message of the process; a failed result if it died."""
        try:
            answer: Answer = self.work.message()
        except ProcessDied as exc:
            died = MigrationFailed(
                f'The process that migrated the domain "{self.name}" ended with exit code'
                f" {exc.exit_code} before it was done.",
                hint=f"Run: manage.py migrate_domain {self.name}, which reports its state.",
            )
            domain = get_domain(self.name)
            return DomainResult.of(domain, "failed", error=ErrorInfo.of(died)), ()
        return answer


def _run_here(
    send: Send, name: str, options: MigrateOptions, context: RunContext, run: Run
) -> None:
    reporter = RecordingReporter(send)
    with redirect_stdout(reporter.stdout), reporter.stdout:
        result = run(name, options, context, reporter)
    connections.close_all()
    send((result, reporter.events))
