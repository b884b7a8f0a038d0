"""The function of ``migrate_fleet``: one release, at many sites."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from ...domains import get_domain, get_domains
from ...engine.history.run_context import RunContext
from ...engine.messages import counted
from ...engine.runner.options import MigrateOptions
from ...engine.runner.results import Reporter, RunResult
from ..migrate import migrate_domains
from .fleet_results import FleetResult, SiteResult
from .preparation import prepare_migrations
from .site_access import SiteAccess
from .sites import Site
from .workers import FleetReporter, SitePool, site_pool


@dataclass(frozen=True, kw_only=True)
class FleetOptions:
    """How a fleet's command goes from site to site.

    Attributes:
        parallel: how many sites at a time.
        canary: how many sites go first; if one of them fails, no other is started.
        max_failures: with this many failed sites, no other is started; None for any number.
        only_pending: look first, and leave alone what has nothing pending, which does not count as
            a canary.
        site_timeout: seconds that a site may take; None for any time.
    """

    parallel: int = 8
    canary: int = 0
    max_failures: int | None = None
    only_pending: bool = False
    site_timeout: float | None = None

    def validate(self) -> Iterator[str]:
        """Yield a sentence for each invalid value."""
        if self.parallel < 1:
            yield "--parallel takes a whole number from 1."
        if self.canary < 0:
            yield "--canary takes a number of sites, 0 or more."
        if self.max_failures is not None and self.max_failures < 1:
            yield "--max-failures takes a number of sites, 1 or more."
        if self.site_timeout is not None and not 0 < self.site_timeout < float("inf"):
            yield "--site-timeout takes seconds, more than 0."


class MigrationTask(NamedTuple):
    """What is to be done at each site.

    Attributes:
        names: of the domains, None for all.
    """

    names: Sequence[str] | None
    options: MigrateOptions
    context: RunContext
    only_pending: bool = False


def migrate_fleet(
    domains: Sequence[str] | None,
    sites: Sequence[Site],
    options: MigrateOptions | None = None,
    fleet: FleetOptions | None = None,
    *,
    access: SiteAccess | None = None,
    reporter: FleetReporter | None = None,
) -> FleetResult:
    """Migrate domains at each site, in a process of its own, and return the results.

    Errors at a site are in its result, not raised. A signal starts no other site and lets those
    that run finish; a second one rolls back what they are doing.

    Arguments:
        domains: names; None for every domain, core first.
        options: of the run at each site.
        access: how the processes get into their sites.
        reporter: gets the progress.

    Raises:
        UnknownDomain: there is no such domain.
    """
    begun = time.monotonic()
    fleet, reporter = fleet or FleetOptions(), reporter or FleetReporter()
    names = None if domains is None else [get_domain(name).name for name in domains]
    # Each site has all domains in one database, so that they share its connection.
    options = replace(options or MigrateOptions(), database=DEFAULT_DB_ALIAS, interactive=False)
    context = RunContext()
    task = MigrationTask(names, options, context, fleet.only_pending)
    prepare_migrations(names or [domain.name for domain in get_domains()], options)
    reporter.on_start(sites)
    limits = {"parallel": fleet.parallel, "timeout": fleet.site_timeout}
    with site_pool(migrate_site, task, access or SiteAccess(), reporter, **limits) as pool:
        results = _run(pool, sites, fleet)
    return FleetResult(
        run=str(context.run),
        sites=tuple(results.get(site.name) or SiteResult.skipped(site) for site in sites),
        stopped=pool.stopped,
        is_interrupted=pool.is_interrupted,
        seconds=time.monotonic() - begun,
    )


def _run(pool: SitePool, sites: Sequence[Site], fleet: FleetOptions) -> dict[str, SiteResult]:
    """Run the canaries, then the others, as long as not too much has failed."""
    results: dict[str, SiteResult] = {}
    wanted, rest = fleet.canary, list(sites)
    while rest and not pool.stopped:
        part = rest[:wanted] if wanted > 0 else rest
        rest = rest[len(part) :]
        for outcome in pool.run(part):
            result = SiteResult.of(outcome)
            results[result.site] = result
            pool.reporter.on_site_end(outcome, result)
            if wanted > 0 and result.has_failed and not pool.stopped:
                pool.stopped = f'The canary "{result.site}" has failed.'
            failed = sum(each.has_failed for each in results.values())
            if fleet.max_failures and failed >= fleet.max_failures and not pool.stopped:
                pool.stopped = f"{counted(failed, 'site')} failed."
        # What had nothing to do has proven nothing.
        idle = sum(each.status == "unchanged" for each in results.values())
        wanted = fleet.canary - len(results) + idle if fleet.only_pending and wanted > 0 else 0
    return results


def migrate_site(reporter: Reporter, task: MigrationTask) -> RunResult:
    """Migrate the site that this process's connections lead to."""
    options = task.options
    if task.only_pending and not options.is_read_only:
        look = replace(options, check=True, dry_run=False, rehearse=False)
        look = replace(look, fake=False, fake_initial=False, signals=False)
        found = migrate_domains(task.names, look, context=task.context)
        if all(domain.status == "unchanged" for domain in found.domains):
            return found
    return migrate_domains(task.names, options, reporter=reporter, context=task.context)
