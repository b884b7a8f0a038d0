"""Benchmark scenarios. Each function measures one question and returns the results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.deploys import knex
from benchmarks.deploys.measuring import Contender, Measured, measure
from benchmarks.deploys.projects import GeneratedProject
from benchmarks.deploys.pytest_runs import test_database
from benchmarks.deploys.site import Site

Scenario = Callable[[Site, int, int], list[Measured]]
"""A function of the site, the number of domains and the number of runs."""

FIRST = "app_001"


def nothing_pending(site: Site, domains: int, runs: int) -> list[Measured]:
    """Everything is applied already."""
    ours, stock = site.project("domains", domains), site.project("stock", domains)
    site.renew("benchmark_ours")
    site.manage(ours, "benchmark_ours", "migrate_domain", "--all", "--jobs", "2")
    # A run with nothing to do reads only the history.
    _record_stock(site, stock)
    contenders = [
        site.floor(ours, "benchmark_ours"),
        site.contender(
            "migrate_domain, one domain", ours, "benchmark_ours", "migrate_domain", FIRST
        ),
        site.contender("migrate_domain --all", ours, "benchmark_ours", "migrate_domain", "--all"),
        site.contender("migrate", ours, "benchmark_ours", "migrate"),
        site.contender("stock migrate", stock, "benchmark_stock", "migrate"),
    ]
    return measure(contenders, runs)


def one_pending(site: Site, domains: int, runs: int) -> list[Measured]:
    """One migration of one domain is pending, beside few and beside many other domains."""
    contenders = []
    for others in (5, 100):
        project, database = site.project("domains", others + 1), f"benchmark_beside_{others}"
        site.renew(database, site.core)
        site.manage(project, database, "migrate_domain", "--all")
        back = partial(
            site.manage, project, database, "migrate_domain", FIRST, f"{site.migrations - 1:04}"
        )
        contenders.append(
            site.contender(
                f"beside {others} domains", project, database, "migrate_domain", FIRST,
                prepare=_quietly(back),
            )
        )  # fmt: skip
    stock = site.project("stock", domains)
    _record_stock(site, stock, "auth", FIRST)
    back = partial(
        site.manage, stock, "benchmark_stock", "migrate", FIRST, f"{site.migrations - 1:04}"
    )
    contenders.append(
        site.contender("stock migrate", stock, "benchmark_stock", "migrate", prepare=_quietly(back))
    )
    return measure(contenders, runs)


def empty_database(site: Site, domains: int, runs: int) -> list[Measured]:
    """Every migration of every domain, on an empty database."""
    ours, stock = site.project("domains", domains), site.project("stock", domains)
    everything = ("migrate_domain", "--all")
    return measure(
        [
            _renewed(
                site, site.contender("migrate_domain --all", ours, "benchmark_ours", *everything)
            ),
            _renewed(
                site,
                site.contender(
                    "migrate_domain --all --jobs 2",
                    ours,
                    "benchmark_ours",
                    *everything,
                    "--jobs",
                    "2",
                ),
            ),
            # Takes minutes, so one run is sufficient.
            _renewed(
                site, site.contender("stock migrate", stock, "benchmark_stock", "migrate", runs=1)
            ),
        ],
        runs,
    )


def snapshots(site: Site, domains: int, runs: int) -> list[Measured]:
    """Every domain from its snapshot, and core replayed, on an empty database."""
    ours = site.project("domains", domains, snapshots=True)
    everything = ("migrate_domain", "--all")
    site.renew("benchmark_ours")
    site.manage(ours, "benchmark_ours", *everything)
    file = site.dump("benchmark_ours")
    by_two = site.contender(
        "migrate_domain --all --jobs 2", ours, "benchmark_ours", *everything, "--jobs", "2"
    )
    return measure(
        [
            _renewed(site, site.psql("psql, the dump of that database", file, "benchmark_psql")),
            _renewed(
                site, site.contender("migrate_domain --all", ours, "benchmark_ours", *everything)
            ),
            _renewed(site, by_two),
        ],
        runs,
    )


def one_domain(site: Site, domains: int, runs: int) -> list[Measured]:
    """All migrations of one domain, with core already migrated."""
    del domains
    ours, stock = site.project("domains", 1), site.project("stock", 1)
    site.renew("benchmark_stock_core")
    site.manage(stock, "benchmark_stock_core", "migrate", "auth", "-v0")
    statements = site.statements(ours, site.core, FIRST)
    file = site.folder / "statements.sql"
    file.write_text("\n".join(sql for migration in statements for sql in migration))
    others = []
    if tool := knex.install():
        knex.write_domain(tool, FIRST, statements)
        others.append(knex.knex(site, tool, FIRST, "benchmark_knex"))
    copy = partial(_renewed, site, template=site.core)
    return measure(
        [
            copy(site.contender("migrate_domain", ours, "benchmark_ours", "migrate_domain", FIRST)),
            *others,
            copy(site.psql("psql, the same statements", file, "benchmark_psql")),
            _renewed(
                site,
                site.contender("stock migrate", stock, "benchmark_stock", "migrate"),
                template="benchmark_stock_core",
            ),
        ],
        runs,
    )


def growth(site: Site, domains: int, runs: int) -> list[Measured]:
    """One domain with an increasing number of migrations."""
    del domains
    contenders = []
    for count in (50, 100, 200, 400):
        project = site.project("domains", 1, count)
        name = f"{count} migrations"
        contender = site.contender(name, project, "benchmark_ours", "migrate_domain", FIRST)
        contenders.append(_renewed(site, contender, template=site.core))
    return measure(contenders, runs)


SCENARIOS: dict[str, Scenario] = {
    "nothing-pending": nothing_pending,
    "one-pending": one_pending,
    "empty-database": empty_database,
    "snapshots": snapshots,
    "one-domain": one_domain,
    "growth": growth,
    "test-database": test_database,
}


def _record_stock(site: Site, project: GeneratedProject, *run: str) -> None:
    """Record everything as applied, but run only the migrations of the given apps."""
    site.renew("benchmark_stock")
    for label in run or ("auth",):
        site.manage(project, "benchmark_stock", "migrate", label, "-v0")
    site.manage(project, "benchmark_stock", "migrate", "--fake", "-v0")


def _renewed(site: Site, contender: Contender, *, template: str = "template1") -> Contender:
    """Return the contender with a new database before each run."""
    database = contender.environment.get("DATABASE_NAME") or contender.command[-1]
    prepare = partial(site.renew, database, template)
    return Contender(**{**vars(contender), "prepare": prepare})


def _quietly(back: Callable[[], str]) -> Callable[[], None]:
    return lambda: back() and None
