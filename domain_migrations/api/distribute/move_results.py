"""The options, the results and the reporter of moves between the nodes of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...engine.runner.options import RunOptions
from ...engine.runner.results import FORMAT, ErrorInfo, Reporter, fields_as_json

MoveStatus = Literal["moved", "unchanged", "planned", "failed", "busy"]


@dataclass(frozen=True, kw_only=True)
class MoveOptions(RunOptions):
    """The options of ``distribute_domain --move`` and ``--balance``.

    Attributes:
        lock_timeout: seconds that writers may be held up for others, None for any.
        block_writes: copy while nobody can write, which needs neither ``wal_level = logical`` nor
            replica identities.
    """

    dry_run: bool = False
    lock_timeout: float | None = None
    block_writes: bool = False


@dataclass(frozen=True, kw_only=True)
class DomainMove:
    """A move of a domain from one node to another.

    Attributes:
        source, target: the addresses of the nodes.
        bytes: of its shards with their indexes.
    """

    domain: str
    schema: str
    source: str
    target: str
    tables: int
    bytes: int
    status: MoveStatus = "planned"
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return fields_as_json(self)


@dataclass(frozen=True, kw_only=True)
class MoveResult:
    """The result of ``move_domain`` and ``balance_domains``."""

    run: str
    database: str
    status: MoveStatus
    moves: tuple[DomainMove, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @property
    def exit_status(self) -> int:
        return self.error.exit_status if self.error else 0

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **fields_as_json(self)}


@dataclass(frozen=True)
class MoveProgress:
    """How far the move of a domain is.

    Attributes:
        phase: Citus' word for it, such as ``Catching Up``.
        copied, total: bytes on the target, and those of the source.
        blockers: who holds a lock that the move waits for, a sentence for each.
    """

    phase: str
    copied: int
    total: int
    blockers: tuple[str, ...] = ()


class MoveReporter(Reporter):
    """Is called with what happens while it happens, and ignores it."""

    def on_move(self, move: DomainMove) -> None:
        """The move begins."""

    def on_progress(self, move: DomainMove, progress: MoveProgress) -> None:
        """The move is as far as that."""
