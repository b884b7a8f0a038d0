"""Results of a run, which turn into JSON, and the reporter of its progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ...domains import Domain
from ...exceptions import (
    EXIT_FAILED,
    EXIT_TEMPORARY,
    EXIT_USAGE,
    DomainMigrationsError,
    TransferWaits,
)
from ..sources.files import MigrationKey

if TYPE_CHECKING:
    from django.db.migrations.migration import Migration

    from .adoption_results import AppliedMove, ImportedHistory

FORMAT = 1
"""The version of every JSON object that a command prints."""

Status = Literal[
    "migrated", "unchanged", "pending", "planned", "failed", "refused", "busy", "skipped"
]


def fields_as_json(result: Any) -> dict[str, Any]:
    """Return the fields of a result as JSON has them, seconds with three decimals."""
    if isinstance(result, tuple):
        names = result._fields  # type: ignore[attr-defined]  # a NamedTuple
    else:
        names = tuple(each.name for each in fields(result))
    return {name: _json_value(getattr(result, name)) for name in names}


def _json_value(value: Any) -> Any:
    if hasattr(value, "as_json"):
        return value.as_json()
    if isinstance(value, tuple):
        return [_json_value(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


class AppliedMigration(NamedTuple):
    """A migration that this run applied or reverted, and how many seconds that took."""

    key: MigrationKey
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {**self.key.as_json(), "seconds": round(self.seconds, 3)}


class PlannedMigration(NamedTuple):
    """A migration of a plan or a dry run, with its effects.

    Attributes:
        operations: descriptions of the operations.
        notes: further remarks for people.
        sql: the statements, in order.
        locks: relation → the strongest lock taken on it.
        rewritten: table → estimated number of its rows, for tables that were rewritten.
    """

    key: MigrationKey
    backwards: bool = False
    operations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    locks: Mapping[str, str] = {}
    rewritten: Mapping[str, int] = {}
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            **self.key.as_json(),
            "sql": list(self.sql),
            "locks": [{"relation": name, "mode": mode} for name, mode in self.locks.items()],
            "rewritten": [{"relation": name, "rows": n} for name, n in self.rewritten.items()],
            "seconds": round(self.seconds, 3),
        }


class SkippedMigration(NamedTuple):
    """A migration that a dry run skipped or did not revert, and the reason as a sentence."""

    key: MigrationKey
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {**self.key.as_json(), "reason": self.reason}


class ErrorInfo(NamedTuple):
    """The error that ended the run of a domain.

    Attributes:
        waits: whether a run of another domain can remove its cause.
    """

    code: str
    message: str
    hint: str
    sqlstate: str | None = None
    exit_status: int = EXIT_FAILED
    traceback: str = ""
    waits: bool = False

    @classmethod
    def of(cls, exc: DomainMigrationsError) -> ErrorInfo:
        return cls(
            exc.code,
            exc.message,
            exc.hint,
            exc.sqlstate,
            exc.exit_status,
            exc.traceback,
            waits=isinstance(exc, TransferWaits),
        )

    def as_json(self) -> dict[str, Any]:
        values = self._asdict()
        del values["exit_status"], values["waits"]
        if not self.traceback:
            del values["traceback"]
        return values


class DomainResult(NamedTuple):
    """The result of one domain's run.

    Attributes:
        adoptions: the apps that it moved into the domain, or back to core.
        history: another tool's history that it brought in, or would bring in.
    """

    domain: str
    schema: str | None
    history_table: str | None
    status: Status
    batch: int | None = None
    applied: tuple[AppliedMigration, ...] = ()
    reverted: tuple[AppliedMigration, ...] = ()
    pending: tuple[MigrationKey, ...] = ()
    unknown: tuple[MigrationKey, ...] = ()
    steps: tuple[PlannedMigration, ...] | None = None
    not_rehearsed: tuple[SkippedMigration, ...] = ()
    adoptions: tuple[AppliedMove, ...] = ()
    history: ImportedHistory | None = None
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, domain: Domain, status: Status, **values: Any) -> DomainResult:
        return cls(
            domain=domain.name,
            schema=domain.schema,
            history_table=str(domain.history_table),
            status=status,
            **values,
        )

    @property
    def exit_status(self) -> int:
        if self.error is not None:
            return self.error.exit_status
        return EXIT_FAILED if self.status in ("pending", "failed", "refused") else 0

    def as_json(self) -> dict[str, Any]:
        values = fields_as_json(self)
        if self.steps is None:
            del values["steps"]
        if not self.adoptions:
            del values["adoptions"]
        if self.history is None:
            del values["history"]
        return values


def most_severe(statuses: Iterable[int]) -> int:
    """Return the exit status of several results: 1 before 2 before 75 before 0."""
    found = set(statuses)
    return next((code for code in (EXIT_FAILED, EXIT_USAGE, EXIT_TEMPORARY) if code in found), 0)


class RunResult(NamedTuple):
    """The results of all domains of a run."""

    run: str
    database: str
    domains: tuple[DomainResult, ...]

    @property
    def exit_status(self) -> int:
        """The most severe exit status."""
        return most_severe(domain.exit_status for domain in self.domains)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **fields_as_json(self)}


class Reporter:
    """The callbacks by which a run reports its progress; these do nothing.

    Attributes:
        clock: returns the time of an event in seconds. Where domains run in processes of their
            own, events are reported later than they happened.
        confirms_reverts: whether ``confirm_revert`` wants to know what a run reverts.
    """

    clock: Callable[[], float] = time.monotonic
    confirms_reverts: bool = False

    @property
    def stdout(self) -> Any:
        """The stream that receivers of Django's signals get to print to."""
        return sys.stdout

    def on_output(self, text: str) -> None:
        """A domain that runs in a process of its own printed this line."""
        self.stdout.write(text)

    def on_domain_start(self, domain: Domain) -> None:
        """A domain's run begins."""

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Called, and named, as ``progress_callback`` of Django's migration executor."""

    def on_note(self, message: str) -> None:
        """Something worth knowing happened."""

    def on_wait(self, message: str) -> None:
        """The run waits for another session; reported immediately even from other processes."""
        self.on_note(message)

    def confirm_revert(self, losses: str) -> None:
        """The run is about to revert migrations: raise an exception to prevent it.

        Arguments:
            losses: what is dropped, in a sentence.
        """

    def on_warning(self, message: str) -> None:
        """Something is wrong, but the run continues."""
