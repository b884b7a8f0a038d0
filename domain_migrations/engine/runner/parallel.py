"""Parallel runs of domains, each in a process of its own.

A process for each domain rather than a pool: no domain is affected by what another one imports
or leaks, or by its crash, and with ``fork`` a new process costs milliseconds.
"""

from __future__ import annotations

import io
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

import django
from django.db import connections
from django.db.migrations.migration import Migration

from ...domains import Domain, get_domain
from ...exceptions import MigrationFailed
from ..history.run_context import RunContext
from .options import MigrateOptions
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
    # A forked process must not share the connections of its parent.
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    waiting, results = deque(names), dict[str, DomainResult]()
    running: dict[Connection, _Job] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                job = _Job.start(waiting.popleft(), options, context, run)
                running[job.answers] = job
            for answers in wait(list(running)):
                job = running[answers]  # type: ignore[index]
                answer = job.answer()
                if isinstance(answer, str):
                    reporter.on_wait(answer)
                    continue
                del running[answers]  # type: ignore[arg-type]
                job.answers.close()
                job.process.join()
                result, events = answer
                _replay(events, reporter)
                results[job.name] = result
    finally:
        for job in running.values():
            job.process.terminate()
            job.process.join()
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


def _replay(events: Sequence[Event], reporter: Reporter) -> None:
    for seconds, method, arguments in events:
        reporter.clock = partial(float, seconds)
        getattr(reporter, method)(*arguments)
    reporter.clock = time.monotonic


@dataclass(frozen=True)
class _Job:
    """A domain's process."""

    name: str
    process: BaseProcess
    answers: Connection

    @classmethod
    def start(cls, name: str, options: MigrateOptions, context: RunContext, run: Run) -> _Job:
        processes = _processes()
        answers, sender = processes.Pipe(duplex=False)
        process = processes.Process(
            target=_run_here, args=(sender, name, options, context, run), name=f"migrate {name}"
        )
        process.start()
        sender.close()  # So that reading ends when the process ends.
        return cls(name, process, answers)

    def answer(self) -> Answer:
        """Return the next message of the process; a failed result if it died."""
        try:
            answer: Answer = self.answers.recv()
        except EOFError:
            self.process.join()
            died = MigrationFailed(
                f'The process that migrated the domain "{self.name}" ended with exit code'
                f" {self.process.exitcode} before it was done.",
                hint=f"Run: manage.py migrate_domain {self.name}, which reports its state.",
            )
            domain = get_domain(self.name)
            return DomainResult.of(domain, "failed", error=ErrorInfo.of(died)), ()
        return answer


def _run_here(
    sender: Connection, name: str, options: MigrateOptions, context: RunContext, run: Run
) -> None:
    django.setup()  # Does nothing in a forked process.
    reporter = RecordingReporter(sender.send)
    with redirect_stdout(reporter.stdout), reporter.stdout:
        result = run(name, options, context, reporter)
    connections.close_all()
    sender.send((result, reporter.events))
    sender.close()


def _processes() -> ForkContext | SpawnContext:
    if "fork" in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")
