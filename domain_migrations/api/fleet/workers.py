"""The processes of sites: one for each, some at a time, none longer than it may take."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any, NamedTuple

from django.db import connections

from ...engine.runner.parallel import Event, RecordingReporter
from ...engine.runner.processes import ProcessDied, Send, WorkProcess, close_connections
from ...engine.runner.results import ErrorInfo, Reporter
from ...engine.sessions.database_errors import first_line
from ...exceptions import DomainMigrationsError, RunStopped, SiteFailed, SiteTimeout
from .site_access import SiteAccess
from .sites import Site
from .stop_requests import StopRequests, stop_by_termination, stop_requests

GRACE_SECONDS = 5.0
"""The time in which a site that is stopped may roll back, before its process is killed."""

SHORT_GRACE_SECONDS = 0.5
"""The same after a third signal: the server hears that the statement is cancelled, no more."""

MOST_SIGNALS = 3
"""After so many, no process is waited for."""

TICK = 0.2
"""Seconds between two looks of a reporter that shows how time passes."""

RARE_COLLECTIONS = 20_000, 20, 20
"""The thresholds of the garbage collector in the process of a site, which soon ends."""

Work = Callable[[Reporter, Any], Any]
"""Works on the site that this process's connections lead to; importable by name.

It gets the task, and returns what can be pickled."""


class Outcome(NamedTuple):
    """How the process of a site has ended.

    Attributes:
        value: what the work has returned, None if it has not.
        events: what it has reported.
        error: what was wrong with the process itself, or None.
    """

    site: Site
    value: Any = None
    events: Sequence[Event] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0


class FleetReporter:
    """The callbacks by which a fleet reports its progress; these do nothing.

    Attributes:
        shows_time: whether ``on_tick`` is wanted.
    """

    shows_time = False

    def on_start(self, sites: Sequence[Site]) -> None:
        """The fleet begins."""

    def on_site_start(self, site: Site) -> None:
        """The process of a site has started."""

    def on_site_wait(self, site: Site, message: str) -> None:
        """A site waits for another session."""

    def on_site_end(self, outcome: Outcome, result: Any) -> None:
        """A site is done; ``result`` is the one of the fleet's command."""

    def on_note(self, message: str) -> None:
        """Something worth knowing happened to the fleet."""

    def on_warning(self, message: str) -> None:
        """Something is wrong, but the fleet continues."""

    def on_tick(self) -> None:
        """Time has passed."""


@dataclass
class _Job:
    """A site and its process."""

    site: Site
    process: WorkProcess
    started: float
    deadline: float
    reason: DomainMigrationsError | None = None
    stopped_at: float = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def stop(self, reason: DomainMigrationsError) -> None:
        """Have it roll back, and end it after a moment if it does not."""
        self.reason = self.reason or reason
        self.stopped_at = time.monotonic()
        self.deadline = self.stopped_at + GRACE_SECONDS
        self.process.process.terminate()

    def hurry(self) -> None:
        """Let one that was stopped have less time."""
        self.deadline = min(self.deadline, self.stopped_at + SHORT_GRACE_SECONDS)

    def kill(self) -> None:
        self.deadline = float("inf")
        self.process.process.kill()


@dataclass
class SitePool:
    """Runs sites in processes, and knows why it starts no more of them.

    Attributes:
        task: what every site's work gets.
        parallel: how many sites at a time.
        timeout: seconds that a site may take, None for any.
        stopped: why no other site is started, as a sentence; empty while they are.
    """

    work: Work
    task: Any
    access: SiteAccess
    requests: StopRequests
    reporter: FleetReporter
    parallel: int = 8
    timeout: float | None = None
    stopped: str = ""
    is_interrupted: bool = False
    is_stopping: bool = False
    _running: dict[Any, _Job] = field(default_factory=dict)

    def run(self, sites: Sequence[Site]) -> Iterator[Outcome]:
        """Yield the outcome of each site when it is there; none for what was not started."""
        waiting = deque(sites)
        try:
            while self._running or (waiting and not self.stopped):
                while waiting and not self.stopped and len(self._running) < self.parallel:
                    self._start(waiting.popleft())
                yield from self._ended()
        finally:
            self._end()

    def _end(self) -> None:
        """End what still runs, where an error has ended the fleet."""
        for job in self._running.values():
            job.process.process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for job in self._running.values():
            job.process.process.join(max(0.0, until - time.monotonic()))
            job.process.process.kill()
            job.process.process.join()
        self._running.clear()

    def _start(self, site: Site) -> None:
        arguments = self.work, site, self.access, self.task
        process = WorkProcess.start(f"site {site.name}", _work_on_site, *arguments)
        started = time.monotonic()
        deadline = started + (self.timeout or float("inf"))
        self._running[process.messages] = _Job(site, process, started, deadline)
        self.reporter.on_site_start(site)

    def _ended(self) -> Iterator[Outcome]:
        """Wait for something to happen, and yield the outcomes of the sites that are done."""
        ready = wait([*self._running, self.requests.wake], self._patience())
        if self.requests.wake in ready:
            self.requests.heard()
            self._on_request()
        for messages in ready:
            if job := self._running.get(messages):
                outcome = self._hear(job)
                if outcome is not None:
                    del self._running[messages]
                    job.process.finish(lambda: self.requests.count >= MOST_SIGNALS)
                    yield outcome
        now = time.monotonic()
        for job in self._running.values():
            if now < job.deadline:
                continue
            if job.reason is None:
                job.stop(_timeout_error(job.site, self.timeout))
            else:
                job.kill()
        self.reporter.on_tick()

    def _patience(self) -> float | None:
        deadline = min((job.deadline for job in self._running.values()), default=float("inf"))
        seconds = max(0.0, deadline - time.monotonic())
        if self.reporter.shows_time:
            return min(TICK, seconds)
        return None if seconds == float("inf") else seconds

    def _on_request(self) -> None:
        """Start no other site; with another request, stop those that run, and then kill them."""
        count, name = self.requests.count, self.requests.name
        if not count:
            return  # A process got it that had just been forked.
        names = ", ".join(job.site.name for job in self._running.values())
        if not self.is_interrupted:
            self.is_interrupted = True
            self.stopped = self.stopped or f"It was stopped by {name}."
            self.reporter.on_warning(
                f"{name}: no other site is started. Those that run are finished:"
                f" {names or 'none'}. Another signal stops them where they are, and rolls back."
            )
        if count > 1 and not self.is_stopping:
            self.is_stopping = True
            self.reporter.on_warning(
                f"{name}: what runs is rolled back: {names or 'nothing'}. A third signal waits no"
                " longer for it."
            )
        for job in self._running.values():
            if count > 1 and job.reason is None:
                job.stop(_stopped_error(job.site, name))
            if count >= MOST_SIGNALS:
                job.hurry()

    def _hear(self, job: _Job) -> Outcome | None:
        """Return a site's outcome, None if it has only reported a wait."""
        try:
            message = job.process.message()
        except ProcessDied as died:
            cause = job.reason or _death(job.site, died.exit_code)
            return Outcome(job.site, error=ErrorInfo.of(cause), seconds=job.seconds)
        if isinstance(message, str):
            self.reporter.on_site_wait(job.site, message)
            return None
        value, events, error = message
        is_stopped = error is None or error.code == RunStopped.code
        if is_stopped and job.reason is not None and not _is_whole(value):
            error = ErrorInfo.of(job.reason)  # The process only knows that it got a signal.
        return Outcome(job.site, value, events, error, job.seconds)


@contextmanager
def site_pool(
    work: Work, task: Any, access: SiteAccess, reporter: FleetReporter, **limits: Any
) -> Iterator[SitePool]:
    """Yield a pool; what this process has made so far is shared by all the others' memory.

    Arguments:
        limits: ``parallel`` and ``timeout`` of the pool.
    """
    close_connections()
    gc.collect()
    gc.freeze()
    try:
        with stop_requests() as requests:
            yield SitePool(work, task, access, requests, reporter, **limits)
    finally:
        gc.unfreeze()


def _is_whole(value: Any) -> bool:
    """Return whether the work was done before it could be stopped.

    An error may be how it was stopped: that of a driver in the middle of a query, for example.
    """
    errors = (getattr(each, "error", None) for each in getattr(value, "domains", ()))
    return value is not None and all(error is None for error in errors)


def _work_on_site(send: Send, work: Work, site: Site, access: SiteAccess, task: Any) -> None:
    stop_by_termination()
    gc.set_threshold(*RARE_COLLECTIONS)
    reporter = RecordingReporter(send)
    value, error = None, None
    try:
        access.enter(site)
        with redirect_stdout(reporter.stdout), reporter.stdout:
            value = work(reporter, task)
    except DomainMigrationsError as exc:
        error = ErrorInfo.of(exc)
    except KeyboardInterrupt as exc:
        error = ErrorInfo.of(_stopped_error(site, str(exc)))
    except Exception as exc:
        from ...engine.runner.tracebacks import traceback_text

        failure = SiteFailed(
            f'An unexpected error has ended the work on the site "{site.name}":'
            f" {type(exc).__name__}: {first_line(exc).rstrip('.')}.",
            hint="Its traceback shows with -v 2.",
        )
        failure.traceback = traceback_text(exc)
        error = ErrorInfo.of(failure)
    connections.close_all()
    with suppress(BrokenPipeError):  # The command was killed; what is done is in the histories.
        send((value, reporter.events, error))


def _timeout_error(site: Site, seconds: float | None) -> SiteTimeout:
    return SiteTimeout(
        f'The site "{site.name}" took longer than {seconds:g} s, and was stopped.',
        hint="What it had applied is recorded. Look at what it waits for in pg_stat_activity, and"
        " run the command again, or allow more time with --site-timeout.",
    )


def _stopped_error(site: Site, name: str) -> RunStopped:
    return RunStopped(
        f'The work on the site "{site.name}" was stopped by {name or "a signal"}.',
        hint="What it had applied is recorded. Run the command again: it continues from here.",
    )


def _death(site: Site, exit_code: int | None) -> SiteFailed:
    return SiteFailed(
        f'The process of the site "{site.name}" ended with exit code {exit_code} before it was'
        " done.",
        hint="What it had applied is recorded. Run the command again: it continues, or says what"
        " is left to repair there.",
    )
