"""The function of ``show_fleet``: which site is at which migration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from django.db import DEFAULT_DB_ALIAS

from ...domains import get_domain
from ...engine.runner.results import FORMAT, ErrorInfo, Reporter, fields_as_json, most_severe
from ...engine.sources.files import MigrationKey
from ..show import DomainOverview, DomainsOverview, show_domains
from .fleet import FleetOptions
from .site_access import SiteAccess
from .sites import Site
from .workers import FleetReporter, site_pool


class DomainPosition(NamedTuple):
    """Where a domain is: equal at sites where the same is applied.

    Attributes:
        latest: the newest applied migration of each of its apps, in their order on disk.
        applied: how many there are.
    """

    domain: str
    latest: tuple[MigrationKey, ...]
    applied: int
    pending: tuple[MigrationKey, ...]
    unknown: tuple[MigrationKey, ...]

    @classmethod
    def of(cls, overview: DomainOverview) -> DomainPosition:
        status = overview.status
        latest = {key.app: key for key in sorted(status.applied)}
        return cls(
            status.domain.name,
            tuple(latest.values()),
            len(status.applied),
            tuple(status.pending),
            tuple(status.unknown),
        )


class SiteOverview(NamedTuple):
    """The domains of one site.

    Attributes:
        status: ``skipped`` where a signal has kept it from being started.
        error: why they could not be read, or None.
    """

    site: str
    status: Literal["current", "pending", "failed", "skipped"]
    domains: tuple[DomainOverview, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0

    @property
    def positions(self) -> tuple[DomainPosition, ...]:
        return tuple(map(DomainPosition.of, self.domains))


class FleetOverview(NamedTuple):
    """All sites, in their order.

    Attributes:
        stopped: why not every site was started, as a sentence; empty if all were.
    """

    sites: tuple[SiteOverview, ...]
    stopped: str = ""

    @property
    def skipped(self) -> list[str]:
        """The names of the sites that were not started."""
        return [site.site for site in self.sites if site.status == "skipped"]

    @property
    def groups(self) -> list[tuple[tuple[DomainPosition, ...], list[str]]]:
        """The sites that are at the same migrations, by name, the largest group first."""
        found: dict[tuple[DomainPosition, ...], list[str]] = {}
        for site in self.sites:
            if site.status in ("current", "pending"):
                found.setdefault(site.positions, []).append(site.site)
        return sorted(found.items(), key=lambda group: -len(group[1]))

    @property
    def exit_status(self) -> int:
        """That of the errors; pending migrations are none."""
        own = 1 if self.stopped else 0
        return most_severe((own, *(site.error.exit_status for site in self.sites if site.error)))

    def as_json(self) -> dict[str, Any]:
        sites = [fields_as_json(site) for site in self.sites]
        return {"format": FORMAT, "sites": sites, "stopped": self.stopped or None}


def show_fleet(
    domains: Sequence[str],
    sites: Sequence[Site],
    fleet: FleetOptions | None = None,
    *,
    access: SiteAccess | None = None,
    reporter: FleetReporter | None = None,
) -> FleetOverview:
    """Return the status of domains at each site; creates nothing.

    Arguments:
        domains: names; all of them if empty.
        fleet: how many sites at a time, and how long each may take.
        access: how the processes get into their sites.
        reporter: gets the progress.

    Raises:
        UnknownDomain: there is no such domain.
    """
    fleet, reporter = fleet or FleetOptions(), reporter or FleetReporter()
    names = tuple(get_domain(name).name for name in domains)
    reporter.on_start(sites)
    limits = {"parallel": fleet.parallel, "timeout": fleet.site_timeout}
    found: dict[str, SiteOverview] = {}
    with site_pool(show_site, names, access or SiteAccess(), reporter, **limits) as pool:
        for outcome in pool.run(sites):
            overview: DomainsOverview | None = outcome.value
            shown = () if overview is None else overview.domains
            pending = any(domain.status.pending for domain in shown)
            site = SiteOverview(
                outcome.site.name,
                "failed" if outcome.error else "pending" if pending else "current",
                shown,
                outcome.error,
                outcome.seconds,
            )
            found[site.site] = site
            reporter.on_site_end(outcome, site)
    return FleetOverview(
        tuple(found.get(site.name) or SiteOverview(site.name, "skipped") for site in sites),
        pool.stopped,
    )


def show_site(reporter: Reporter, names: Sequence[str]) -> DomainsOverview:
    """Return the domains of the site that this process's connections lead to."""
    return show_domains(names, database=DEFAULT_DB_ALIAS)
