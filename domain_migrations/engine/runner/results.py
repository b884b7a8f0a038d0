"""What a run tells its caller: frozen values that turn into the JSON of the contract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...domains import Domain
from ...exceptions import EXIT_FAILED, EXIT_TEMPORARY, DomainMigrationsError
from ..sources.files import MigrationKey

FORMAT = 1
"""Of every JSON object that a command prints."""

Status = Literal[
    "migrated", "unchanged", "pending", "planned", "failed", "refused", "busy", "skipped"
]


@dataclass(frozen=True)
class AppliedMigration:
    """A migration that this run applied or undid, and how many seconds that took."""

    key: MigrationKey
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {**self.key.as_json(), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, kw_only=True)
class PlannedMigration:
    """What a planned or rehearsed migration does.

    Attributes:
        operations: the operations in words, for people.
        notes: what else a person should know.
        sql: the statements, in order.
        locks: relation → the strongest lock taken on it.
        rewritten: table → estimated number of its rows, where its file was written anew.
    """

    key: MigrationKey
    backwards: bool = False
    operations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    locks: dict[str, str] = field(default_factory=dict)
    rewritten: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            **self.key.as_json(),
            "sql": list(self.sql),
            "locks": [{"relation": name, "mode": mode} for name, mode in self.locks.items()],
            "rewritten": [{"relation": name, "rows": n} for name, n in self.rewritten.items()],
            "seconds": round(self.seconds, 3),
        }


SkippedInDryRun = tuple[MigrationKey, str]
"""A migration that was left out of a dry run, or not undone in it, and the reason."""


@dataclass(frozen=True)
class ErrorInfo:
    """Why a domain was not brought to where it should be."""

    code: str
    message: str
    hint: str
    sqlstate: str | None = None
    exit_status: int = EXIT_FAILED

    @classmethod
    def of(cls, exc: DomainMigrationsError) -> ErrorInfo:
        return cls(exc.code, exc.message, exc.hint, exc.sqlstate, exc.exit_status)

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "sqlstate": self.sqlstate,
        }


@dataclass(frozen=True, kw_only=True)
class DomainResult:
    """What became of one domain in a run."""

    domain: str
    schema: str | None = None
    history_table: str | None = None
    status: Status
    batch: int | None = None
    applied: tuple[AppliedMigration, ...] = ()
    reverted: tuple[AppliedMigration, ...] = ()
    pending: tuple[MigrationKey, ...] = ()
    unknown: tuple[MigrationKey, ...] = ()
    steps: tuple[PlannedMigration, ...] | None = None
    not_rehearsed: tuple[SkippedInDryRun, ...] = ()
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

    def with_seconds(self, seconds: float) -> DomainResult:
        return replace(self, seconds=seconds)

    @property
    def exit_status(self) -> int:
        if self.error is not None:
            return self.error.exit_status
        return EXIT_FAILED if self.status in ("pending", "failed", "refused") else 0

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "domain": self.domain,
            "schema": self.schema,
            "history_table": self.history_table,
            "status": self.status,
            "batch": self.batch,
            "applied": [ran.as_json() for ran in self.applied],
            "reverted": [ran.as_json() for ran in self.reverted],
            "pending": [key.as_json() for key in self.pending],
            "unknown": [key.as_json() for key in self.unknown],
            "not_rehearsed": [
                {**key.as_json(), "reason": reason} for key, reason in self.not_rehearsed
            ],
            "error": self.error.as_json() if self.error else None,
            "seconds": round(self.seconds, 3),
        }
        if self.steps is not None:
            values["steps"] = [step.as_json() for step in self.steps]
        return values


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What became of every domain that a run was asked for."""

    run: str
    database: str
    domains: tuple[DomainResult, ...]

    @property
    def exit_status(self) -> int:
        """1 beats 75 beats 0."""
        statuses = {domain.exit_status for domain in self.domains}
        return next((code for code in (EXIT_FAILED, EXIT_TEMPORARY) if code in statuses), 0)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "database": self.database,
            "domains": [domain.as_json() for domain in self.domains],
        }
