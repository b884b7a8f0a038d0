"""Results of a fleet: what happened at each site."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, NamedTuple

from ...engine.runner.results import (
    FORMAT,
    DomainResult,
    ErrorInfo,
    RunResult,
    fields_as_json,
    most_severe,
)
from ...exceptions import EXIT_FAILED
from .sites import Site
from .workers import Outcome

SiteStatus = Literal[
    "migrated", "unchanged", "pending", "planned", "failed", "refused", "busy", "skipped"
]

BY_WEIGHT: tuple[SiteStatus, ...] = (
    *("failed", "refused", "busy", "pending", "planned", "migrated", "unchanged"),
)
"""The status of a site is the first of these that one of its domains has."""

FAILURES = ("failed", "refused", "busy")
"""The statuses that end canaries and count for ``max_failures``."""


class SiteResult(NamedTuple):
    """The result of one site.

    Attributes:
        domains: what :func:`migrate_domains` has returned for each; none if nobody knows.
        error: of its process, otherwise the first one of its domains.
    """

    site: str
    status: SiteStatus
    domains: tuple[DomainResult, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, outcome: Outcome) -> SiteResult:
        """Return the result of a site whose process has ended."""
        run: RunResult | None = outcome.value
        domains = () if run is None else run.domains
        errors = (domain.error for domain in domains)
        error = outcome.error or next(filter(None, errors), None)
        found = {domain.status for domain in domains}
        status: SiteStatus = next((word for word in BY_WEIGHT if word in found), "skipped")
        if outcome.error is not None or (error is not None and status not in FAILURES):
            status = "failed"
        return cls(outcome.site.name, status, domains, error, outcome.seconds)

    @classmethod
    def skipped(cls, site: Site) -> SiteResult:
        """Return the result of a site that was not started."""
        return cls(site.name, "skipped")

    @property
    def has_failed(self) -> bool:
        return self.status in FAILURES

    @property
    def exit_status(self) -> int:
        """That of the error of its process; else as ``migrate_domain --all`` there."""
        if self.error is not None and all(each.error != self.error for each in self.domains):
            return self.error.exit_status
        return most_severe(domain.exit_status for domain in self.domains)


class FleetResult(NamedTuple):
    """The results of all sites, in their order.

    Attributes:
        run: id of the run, which the journals of all sites have.
        stopped: why not every site was started, as a sentence; empty if all were.
    """

    run: str
    sites: tuple[SiteResult, ...]
    stopped: str = ""
    is_interrupted: bool = False
    seconds: float = 0.0

    @property
    def exit_status(self) -> int:
        """The most severe one of the sites; 1 if a signal has stopped the fleet."""
        own = EXIT_FAILED if self.is_interrupted else 0
        return most_severe((own, *(site.exit_status for site in self.sites)))

    @property
    def counts(self) -> Counter[str]:
        """How many sites there are with each status."""
        return Counter(site.status for site in self.sites)

    def as_json(self) -> dict[str, Any]:
        values = fields_as_json(self)
        del values["is_interrupted"]
        values["sites"] = [fields_as_json(site) for site in self.sites]
        return {"format": FORMAT, **values, "stopped": self.stopped or None}
