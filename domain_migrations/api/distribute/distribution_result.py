"""The options, the result and the reporter of a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...engine.runner.options import RunOptions
from ...engine.runner.results import FORMAT, ErrorInfo, Reporter, fields_as_json

Status = Literal["distributed", "finished", "unchanged", "planned", "failed", "refused", "busy"]


@dataclass(frozen=True, kw_only=True)
class DistributeOptions(RunOptions):
    """The options of ``distribute_domain``; names and meanings as on the command line."""

    dry_run: bool = False
    lock_timeout: float | None = None


@dataclass(frozen=True, kw_only=True)
class DistributedDomain:
    """A domain after a distribution.

    Attributes:
        status: ``unchanged`` if it was distributed before, ``planned`` in a dry run.
        node: the address of the worker that its tables are on.
        tables, rows: how many were moved there by this run.
    """

    domain: str
    schema: str
    status: Literal["distributed", "unchanged", "planned"]
    node: str | None
    tables: int = 0
    rows: int = 0

    def as_json(self) -> dict[str, Any]:
        return fields_as_json(self)


@dataclass(frozen=True, kw_only=True)
class DistributionResult:
    """The result of ``distribute_domains``.

    Attributes:
        status: ``finished`` if only what an earlier run had left was done.
        nodes: the addresses of the workers.
        reference_tables: the tables of core that this run made reference tables, in their order.
        emptied: the tables whose hidden local rows were removed from the coordinator.
    """

    run: str
    database: str
    status: Status
    nodes: tuple[str, ...] = ()
    reference_tables: tuple[str, ...] = ()
    domains: tuple[DistributedDomain, ...] = ()
    emptied: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @property
    def exit_status(self) -> int:
        return self.error.exit_status if self.error else 0

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **fields_as_json(self)}


class DistributeReporter(Reporter):
    """Is called with what happens while it happens, and ignores it."""

    def confirm(self, effect: str) -> None:
        """The run is about to distribute domains: raise an exception to prevent it.

        Arguments:
            effect: what happens and cannot be undone, in sentences.
        """
