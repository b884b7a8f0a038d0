"""Results of seeding a domain: frozen values that can be printed as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...engine.runner.results import FORMAT, ErrorInfo
from .seed_files import SeedFile


@dataclass(frozen=True)
class Counts:
    """The numbers of rows that were inserted, updated, and kept with their local changes.

    A row of which some columns were updated and others kept counts as both; one that was
    deleted locally counts as kept.
    """

    inserted: int = 0
    updated: int = 0
    kept: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.inserted + other.inserted, self.updated + other.updated, self.kept + other.kept
        )


NO_ROWS = Counts()


SeedStatus = Literal["seeded", "unchanged", "skipped", "pending", "failed"]
Status = Literal["seeded", "unchanged", "planned", "failed", "refused", "busy"]


@dataclass(frozen=True, kw_only=True)
class SeedOutcome:
    """The outcome of one seed.

    Attributes:
        tags: the environments that it is limited to; none for all.
    """

    seed: SeedFile
    status: SeedStatus
    tags: tuple[str, ...] = ()
    counts: Counts = NO_ROWS
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.seed.app,
            "name": self.seed.name,
            "status": self.status,
            "tags": list(self.tags),
            **asdict(self.counts),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """The result of a domain's seeds."""

    run: str
    database: str
    domain: str
    schema: str | None = None
    seed_table: str | None = None
    tags: tuple[str, ...] = ()
    status: Status
    seeds: tuple[SeedOutcome, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @property
    def exit_status(self) -> int:
        return self.error.exit_status if self.error else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "database": self.database,
            "domain": self.domain,
            "schema": self.schema,
            "seed_table": self.seed_table,
            "tags": list(self.tags),
            "status": self.status,
            "seeds": [seed.as_json() for seed in self.seeds],
            "error": self.error.as_json() if self.error else None,
            "seconds": round(self.seconds, 3),
        }
