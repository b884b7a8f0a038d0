"""The hooks and signals of one domain's run: their calls, results and journal rows."""

from __future__ import annotations

import datetime
import functools
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

from django.dispatch import Signal
from django.utils.timezone import now

from ....backends.postgresql.creation import CREATING_TEST_DB
from ....domains import Domain
from ....exceptions import DatabaseUnavailable, DomainMigrationsError, HookFailed
from ....signals import domain_migrate_failed, domain_post_migrate, domain_pre_migrate
from ...sessions.connection import allow_reconnection, roll_back_leftover
from ...sessions.database_errors import sqlstate_of
from ..loader import Plan
from ..results import DomainResult
from ..run_session import RunSession
from ..tracebacks import describe_exception, traceback_text
from .commands import BoundedOutput, HookResult, run_command
from .payload import DatabaseAccess, environment, run_payload
from .settings import EVENTS, Event, hooks_of

SIGNALS: dict[Event, tuple[str, Signal]] = {
    "before": ("domain_pre_migrate", domain_pre_migrate),
    "after": ("domain_post_migrate", domain_post_migrate),
    "failed": ("domain_migrate_failed", domain_migrate_failed),
}
NOTHING_CHANGED = (
    "Nothing was changed. Correct what it reports, or the hook, and run the command again."
)
ALL_DONE = (
    "The changes of the run are kept and recorded. Correct the hook and run the command again:"
    " the next run calls the hooks after the run again."
)


class AfterHookFailed(HookFailed):
    """A hook after the run failed; the migrations are applied."""


@dataclass(frozen=True)
class HookCall:
    """A hook that was called, as recorded in the journal."""

    event: Event
    name: str
    started: datetime.datetime
    seconds: float
    result: HookResult

    @property
    def details(self) -> dict[str, Any]:
        """The details of its row."""
        result = self.result
        trace = {"traceback": traceback_text(result.cause)} if result.cause else {}
        return {"event": self.event, "exit": result.status, "output": result.output, **trace}


class HookDispatcher:
    """Calls the hooks and the signals of one domain's run.

    Arguments:
        session: the run's session.
        plan: the plan of the run; without a migration, the run finishes an earlier one, and only
            what comes after the run is called.
        enabled: whether anything is called in this run.
    """

    def __init__(self, session: RunSession, plan: Plan, enabled: bool) -> None:
        connection, domain = session.connection, session.domain
        self.session = session
        self.plan = plan
        # Work in a scratch database is internal to the engine.
        self.enabled = enabled and not connection.settings_dict.get("SCRATCH")
        self.has_begun = False
        self.connection_broken = False
        self.unlogged: list[HookCall] = []
        # Receivers may prepare a test database, but commands must not announce it.
        in_test = connection.settings_dict.get(CREATING_TEST_DB)
        self.hooks = {event: () if in_test else hooks_of(domain, event) for event in EVENTS}
        has_hooks = any(self.hooks.values())
        self.access = DatabaseAccess.of(connection) if has_hooks else DatabaseAccess({}, ())

    @contextmanager
    def failure_hooks(
        self, failed: Callable[[DomainMigrationsError], DomainResult]
    ) -> Iterator[None]:
        """Call the hooks for a failure if the run has begun and fails in the body.

        Arguments:
            failed: returns the result for an error.
        """
        try:
            yield
        except DomainMigrationsError as exc:
            # With a hook after the run, the migrations themselves have not failed.
            if self.has_begun and not isinstance(exc, AfterHookFailed):
                allow_reconnection(self.session.connection)
                for called in self._call_all("failed", failed(exc)):
                    sentence = f"{self._sentence(called)} The run had failed before."
                    self.session.reporter.on_warning(sentence)
            raise

    def before(self, result: DomainResult) -> None:
        """Call the hooks before the run.

        Raises:
            HookFailed: one of them failed; the following ones were not called.
        """
        self.has_begun = self.enabled
        if self.plan:
            for called in self._call_each("before", result):
                if called.result.problem:
                    raise self._error(HookFailed, called, NOTHING_CHANGED)

    def after(self, result: DomainResult) -> None:
        """Call the hooks after the run, also those after one that failed.

        Raises:
            HookFailed: at least one of them failed.
        """
        if failed := self._call_all("after", result):
            raise self._error(AfterHookFailed, failed[0], ALL_DONE)

    def write(self) -> None:
        """Record the hooks that were called, as soon as the journal exists."""
        journal = self.session.journal
        if self.unlogged and self.session.is_alive and journal.exists():
            for called in self.unlogged:
                result = called.result
                journal.write(
                    "failed" if result.problem else "done",
                    "hook",
                    name=called.name,
                    started=called.started,
                    seconds=called.seconds,
                    details=called.details,
                    error=result.problem,
                    sqlstate=sqlstate_of(result.cause),
                )
            self.unlogged.clear()

    def _call_all(self, event: Event, result: DomainResult) -> list[HookCall]:
        return [called for called in self._call_each(event, result) if called.result.problem]

    def _call_each(self, event: Event, result: DomainResult) -> Iterator[HookCall]:
        if not self.enabled:
            return
        run = run_payload(self.session, event, self.plan, result)
        name, signal = SIGNALS[event]
        if signal.has_listeners(Domain):
            send = functools.partial(self._send, event, run)
            yield self._run_and_log(event, name, functools.partial(call_receivers, send))
        for hook in self.hooks[event]:
            self.session.reporter.on_note(f"Hook {event} the run: {hook.name}")
            values = environment(run, self.access, hook)
            stdin = json.dumps(run).encode()
            command = functools.partial(run_command, hook, stdin=stdin, environment=values)
            yield self._run_and_log(event, hook.name, command)

    def _run_and_log(self, event: Event, name: str, hook: Callable[[], HookResult]) -> HookCall:
        started, clock = now(), time.monotonic()
        result = hook()
        if event != "failed":
            result = self._check_connection(event, name, result)
        called = HookCall(event, name, started, time.monotonic() - clock, result)
        self.unlogged.append(called)
        self.write()
        return called

    def _check_connection(self, event: Event, name: str, result: HookResult) -> HookResult:
        """Return the result with the problem that the hook has made of the run's connection."""
        if self.connection_broken:
            return result  # An earlier hook has broken it, and its result says so.
        try:
            self.session.check(f'The {event}-hook "{name}"')
        except DomainMigrationsError as exc:
            if event == "before" and isinstance(exc, DatabaseUnavailable):
                raise  # The server ended it: a retry may help.
            problem = exc.message
        else:
            problem = self._rolled_back_leftover()
        self.connection_broken = bool(problem)
        return replace(result, problem=result.problem or problem) if problem else result

    def _rolled_back_leftover(self) -> str:
        left = roll_back_leftover(self.session.connection)
        return "it left a transaction open, which was rolled back" if left else ""

    def _error(self, kind: type[HookFailed], called: HookCall, hint: str) -> HookFailed:
        cause = called.result.cause
        error = kind(self._sentence(called), hint=hint, sqlstate=sqlstate_of(cause))
        error.__cause__ = cause
        error.traceback = traceback_text(cause) if cause else ""
        return error

    def _sentence(self, called: HookCall) -> str:
        return (
            f'The {called.event}-hook "{called.name}" of the domain "{self.session.domain.name}"'
            f" failed: {called.result.problem.rstrip('.')}."
        )

    def _send(self, event: Event, run: dict[str, Any]) -> None:
        using = self.session.connection.alias
        values = {"domain": self.session.domain, "using": using, "run": run}
        _, signal = SIGNALS[event]
        if event == "before":
            signal.send(Domain, **values)
            return
        for _, answer in signal.send_robust(Domain, **values):
            if isinstance(answer, Exception):
                raise answer


_stdout = threading.RLock()
"""Standard output belongs to the process: runs in threads take turns in redirecting it."""


def call_receivers(send: Callable[[], None]) -> HookResult:
    """Call the receivers of a signal and return the result; failures are not raised.

    Their output is kept from standard output, which ``--format json`` uses.
    """
    text, output = io.StringIO(), BoundedOutput()
    problem, cause = "", None
    with _stdout, redirect_stdout(text), redirect_stderr(text):
        try:
            send()
        except SystemExit as exc:
            problem = f"it exited with {exc.code!r}" if exc.code else ""
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # asyncio.CancelledError, say
            problem, cause = describe_exception(exc), exc
    output.write(text.getvalue().encode(errors="replace"))
    return HookResult(problem, str(output), cause=cause)
