"""Calling the hooks and the signals of one domain's run, and keeping what came of them."""

from __future__ import annotations

import datetime
import functools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.dispatch import Signal
from django.utils.module_loading import import_string
from django.utils.timezone import now
from psycopg.pq import TransactionStatus

from ....backends.postgresql.creation import CREATING_TEST_DB
from ....domains import Domain
from ....exceptions import DatabaseUnavailable, DomainMigrationsError, HookFailed
from ....signals import domain_migrate_failed, domain_post_migrate, domain_pre_migrate
from ...history.journal import Journal
from ...sessions.connection import is_alive, sqlstate_of
from ...sessions.session import RunLock
from ..options import MigrateOptions
from ..plan import Plan
from ..reporter import Reporter
from ..results import DomainResult
from .callables import call
from .commands import run_command
from .payload import DatabaseAccess, environment, run_payload
from .result import HookResult
from .settings import EVENTS, Event, hooks_of

SIGNALS: dict[Event, Signal] = {
    "before": domain_pre_migrate,
    "after": domain_post_migrate,
    "failed": domain_migrate_failed,
}
SIGNAL_NAMES: dict[Event, str] = {
    "before": "domain_pre_migrate",
    "after": "domain_post_migrate",
    "failed": "domain_migrate_failed",
}
NOTHING_CHANGED = (
    "Nothing was changed. Correct what it complains of, or the hook, and run the command again."
)
ALL_DONE = (
    "What the run did is kept and recorded. Correct the hook and run the command again: the"
    " next run calls the hooks that come after it."
)


class AfterHookFailed(HookFailed):
    """What is behind the migrations failed; they are applied."""


@dataclass(frozen=True)
class HookCall:
    """A hook that was called, as the journal keeps it."""

    event: Event
    name: str
    started: datetime.datetime
    seconds: float
    ended: HookResult


@dataclass
class HookDispatcher:
    """The hooks of one domain's run.

    Arguments:
        plan: what the run is going to do; without any, a run finishes an earlier one, and only
            what comes after is called.
        due: whether the run is one that hooks are called for at all.
    """

    domain: Domain
    lock: RunLock
    journal: Journal
    options: MigrateOptions
    reporter: Reporter
    plan: Plan
    enabled: bool = True
    begun: bool = False
    connection_broken: bool = False
    unlogged: list[HookCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A scratch database is nobody's business but ours.
        self.enabled = self.enabled and not self.lock.connection.settings_dict.get("SCRATCH")
        # That a test database is made is what signals may do their part in, and no webhook's.
        wanted = not self.lock.connection.settings_dict.get(CREATING_TEST_DB)
        self.declared = {event: hooks_of(self.domain, event) if wanted else () for event in EVENTS}
        self.access = DatabaseAccess({}, ())
        if any(self.declared.values()):
            self.access = DatabaseAccess.of(self.lock.connection)

    @contextmanager
    def failure_hooks(
        self, failed: Callable[[DomainMigrationsError], DomainResult]
    ) -> Iterator[None]:
        """Call the hooks for a failure where the run had begun and does not succeed.

        Arguments:
            failed: makes the result of an error.
        """
        try:
            yield
        except AfterHookFailed:
            raise  # The migrations did not fail.
        except DomainMigrationsError as exc:
            if self.begun:
                for called in self._call_all("failed", failed(exc)):
                    self.reporter.warning(f"{self._sentence(called)} The run had failed before.")
            raise

    def before(self, result: DomainResult) -> None:
        """Call what comes before the run.

        Raises:
            HookFailed: one of them failed; the others were not called.
        """
        self.begun = self.enabled
        if self.plan:
            for called in self._call_each("before", result):
                if called.ended.problem:
                    raise self._error(HookFailed, called, NOTHING_CHANGED)

    def after(self, result: DomainResult) -> None:
        """Call what comes after the run, each of them, also behind one that failed.

        Raises:
            HookFailed: at least one of them failed.
        """
        if failed := self._call_all("after", result):
            raise self._error(AfterHookFailed, failed[0], ALL_DONE)

    def write(self) -> None:
        """Write what was called into the journal, as soon as there is one."""
        if self.unlogged and is_alive(self.lock.connection) and self.journal.exists():
            for called in self.unlogged:
                self.journal.write(
                    "failed" if called.ended.problem else "done",
                    "hook",
                    name=called.name,
                    started=called.started,
                    seconds=called.seconds,
                    details={
                        "event": called.event,
                        "exit": called.ended.status,
                        "output": called.ended.output,
                    },
                    error=called.ended.problem,
                    sqlstate=sqlstate_of(called.ended.cause),
                )
            self.unlogged.clear()

    def _call_all(self, event: Event, result: DomainResult) -> list[HookCall]:
        return [called for called in self._call_each(event, result) if called.ended.problem]

    def _call_each(self, event: Event, result: DomainResult) -> Iterator[HookCall]:
        if not self.enabled:
            return
        run = run_payload(
            event,
            result,
            context=self.journal.context,
            alias=self.lock.connection.alias,
            plan=self.plan,
            fake=self.options.fake,
        )
        if SIGNALS[event].has_listeners(Domain):
            send = functools.partial(self._send, event, run)
            yield self._run_and_log(event, SIGNAL_NAMES[event], lambda: call(send, seconds=0))
        for hook in self.declared[event]:
            self.reporter.on_note(f"Hook {event} the run: {hook.name}")
            if hook.command:
                values = environment(run, self.access, credentials=hook.credentials)
                work = functools.partial(run_command, hook, given=_json(run), environment=values)
            else:
                target = functools.partial(import_string(hook.path), run)
                work = functools.partial(call, target, seconds=hook.timeout)
            yield self._run_and_log(event, hook.name, work)

    def _run_and_log(self, event: Event, name: str, work: Callable[[], HookResult]) -> HookCall:
        started, clock = now(), time.monotonic()
        ended = work()
        if event != "failed":
            ended = self._check_connection(event, name, ended)
        called = HookCall(event, name, started, time.monotonic() - clock, ended)
        self.unlogged.append(called)
        self.write()
        return called

    def _check_connection(self, event: Event, name: str, ended: HookResult) -> HookResult:
        """Add what a hook may not do to the run's connection."""
        if self.connection_broken:
            return ended  # By an earlier hook, which was told so.
        try:
            self.lock.assert_same(f'The {event}-hook "{name}"')
        except DomainMigrationsError as exc:
            if event == "before" and isinstance(exc, DatabaseUnavailable):
                raise  # The server ended it: trying again later may help.
            problem = exc.message
        else:
            problem = self._rolled_back_leftover()
        self.connection_broken = bool(problem)
        return replace(ended, problem=ended.problem or problem) if problem else ended

    def _rolled_back_leftover(self) -> str:
        connection = self.lock.connection
        if connection.in_atomic_block:
            return ""  # The caller's.
        idle = connection.connection.info.transaction_status == TransactionStatus.IDLE
        if idle and connection.get_autocommit():
            return ""
        connection.connection.rollback()
        connection.set_autocommit(True)
        return "it left a transaction open, which was rolled back"

    def _error(self, kind: type[HookFailed], called: HookCall, hint: str) -> HookFailed:
        cause = called.ended.cause
        error = kind(self._sentence(called), hint=hint, sqlstate=sqlstate_of(cause))
        error.__cause__ = cause
        return error

    def _sentence(self, called: HookCall) -> str:
        return (
            f'The {called.event}-hook "{called.name}" of the domain "{self.domain.name}"'
            f" failed: {called.ended.problem.rstrip('.')}."
        )

    def _send(self, event: Event, run: dict[str, Any]) -> None:
        values = {"domain": self.domain, "using": self.lock.connection.alias, "run": run}
        if event == "before":
            SIGNALS[event].send(Domain, **values)
            return
        for _, answer in SIGNALS[event].send_robust(Domain, **values):
            if isinstance(answer, Exception):
                raise answer


def _json(run: dict[str, Any]) -> bytes:
    return json.dumps(run).encode()
