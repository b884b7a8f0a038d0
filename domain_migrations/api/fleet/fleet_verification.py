"""The function of ``verify_fleet``: sites whose catalog differs from the others'.

Sites are compared where the same migrations are applied: what most of them have is right. Each one
is read twice at most, so that no more than a few catalogs are in memory: for its digests, and to be
compared with another one if that differs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections

from ...domains import Domain, get_domain, get_domains
from ...engine.catalog.fingerprint import compare, fingerprint
from ...engine.cluster.cluster import TO_READ, check_coordinator, read_cluster
from ...engine.history.status import read_statuses
from ...engine.runner.results import FORMAT, ErrorInfo, Reporter, fields_as_json, most_severe
from ...engine.sessions.database_problems import SITE, SiteLabel, translate_database_errors
from ...engine.sources.files import MigrationKey
from ...exceptions import EXIT_FAILED, InvalidSites, SiteFailed
from .fleet import FleetOptions
from .site_access import SiteAccess
from .sites import Site
from .workers import FleetReporter, Outcome, SitePool, site_pool


class DomainDigest(NamedTuple):
    """What one domain of one site is like, in a few bytes.

    Attributes:
        digest: of the fingerprint of its schema.
    """

    domain: str
    applied: frozenset[MigrationKey]
    digest: str


class DomainVerification(NamedTuple):
    """One domain of one site, compared.

    Attributes:
        applied: how many migrations.
        fingerprint: the SHA-256 of the schema's fingerprint.
        reference: the site that it was compared with; None if no other has the same migrations.
        tie: whether as many sites are like this one as are like the reference.
        differences: a clause for each object: ``missing`` here, ``added`` here, or both forms.
        is_compared: whether that was done; a signal may have come before.
    """

    domain: str
    applied: int
    fingerprint: str
    reference: str | None = None
    tie: bool = False
    differences: tuple[str, ...] = ()
    is_compared: bool = False

    def as_json(self) -> dict[str, Any]:
        values = fields_as_json(self)
        del values["is_compared"]
        return values


SiteStatus = Literal["equal", "differs", "not compared", "failed"]


class SiteVerification(NamedTuple):
    """One site, compared.

    Attributes:
        status: that of its domains; ``not compared`` if one of them was not, and none differs.
        error: why it could not be read, or None.
    """

    site: str
    status: SiteStatus
    domains: tuple[DomainVerification, ...] = ()
    error: ErrorInfo | None = None
    seconds: float = 0.0


class FleetVerification(NamedTuple):
    """All sites, in their order."""

    sites: tuple[SiteVerification, ...]
    stopped: str = ""

    @property
    def differing(self) -> list[SiteVerification]:
        return [site for site in self.sites if site.status == "differs"]

    @property
    def exit_status(self) -> int:
        """1 if a site differs; else that of the errors."""
        own = EXIT_FAILED if self.differing or self.stopped else 0
        return most_severe((own, *(site.error.exit_status for site in self.sites if site.error)))

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "sites": [
                {**fields_as_json(site), "domains": [each.as_json() for each in site.domains]}
                for site in self.sites
            ],
            "stopped": self.stopped or None,
        }


class ComparisonTask(NamedTuple):
    """What is to be compared where.

    Attributes:
        wanted: site → domain → the site that it is compared with.
        texts: (domain, site) → fingerprint, of those sites.
    """

    wanted: Mapping[str, Mapping[str, str]]
    texts: Mapping[tuple[str, str], str]


def verify_fleet(
    domains: Sequence[str],
    sites: Sequence[Site],
    fleet: FleetOptions | None = None,
    *,
    reference: str | None = None,
    access: SiteAccess | None = None,
    reporter: FleetReporter | None = None,
) -> FleetVerification:
    """Compare the catalogs of sites at which the same migrations are applied; changes nothing.

    Arguments:
        domains: names; all of them if empty.
        fleet: how many sites at a time, and how long each may take.
        reference: the site that has to be right, instead of the majority's catalog.
        access: how the processes get into their sites.
        reporter: gets the progress.

    Raises:
        UnknownDomain: there is no such domain.
        InvalidSites: there is no site with the name of the reference.
        SiteFailed: the reference cannot be read.
    """
    fleet, reporter = fleet or FleetOptions(), reporter or FleetReporter()
    names = tuple(get_domain(name).name for name in domains or _all_names())
    if reference is not None and all(site.name != reference for site in sites):
        raise InvalidSites(
            f'There is no site "{reference}" to compare with.', hint="Name one of the sites."
        )
    reporter.on_start(sites)
    limits = {"parallel": fleet.parallel, "timeout": fleet.site_timeout}
    with site_pool(digest_site, names, access or SiteAccess(), reporter, **limits) as pool:
        outcomes = {outcome.site.name: outcome for outcome in _reported(pool, sites)}
        order = [outcomes[site.name] for site in sites if site.name in outcomes]
        found = _against_references(order, reference)
        if not pool.stopped:
            order = _with_differences(pool, order, found)
        ended = {outcome.site.name: outcome for outcome in order}
    return FleetVerification(
        tuple(
            _verification(ended.get(site.name) or Outcome(site), found.get(site.name, {}))
            for site in sites
        ),
        pool.stopped,
    )


def _all_names() -> Iterable[str]:
    return (domain.name for domain in get_domains())


def _reported(pool: SitePool, sites: Sequence[Site]) -> Iterable[Outcome]:
    for outcome in pool.run(sites):
        pool.reporter.on_site_end(outcome, outcome.error)
        yield outcome


Found = dict[str, dict[str, DomainVerification]]
"""Site → domain → its comparison."""


def _against_references(outcomes: Sequence[Outcome], reference: str | None) -> Found:
    """Choose what each domain of each site is compared with; the differences come later."""
    found: Found = {}
    alike: dict[tuple[str, frozenset[MigrationKey]], dict[str, str]] = {}
    for outcome in outcomes:
        name = outcome.site.name
        if name == reference and outcome.error is not None:
            raise _unreadable(name, outcome.error)
        for each in outcome.value or ():
            alike.setdefault((each.domain, each.applied), {})[name] = each.digest
            found.setdefault(name, {})[each.domain] = DomainVerification(
                each.domain, len(each.applied), each.digest
            )
    for (domain, _), digests in alike.items():
        if len(digests) == 1:
            continue
        numbers = Counter(digests.values())
        (right, most), *others = numbers.most_common()
        if reference in digests:
            right = digests[reference]
        first = next(site for site, digest in digests.items() if digest == right)
        chosen = reference if reference in digests else first
        for site, digest in digests.items():
            is_tie = reference not in digests and bool(others) and numbers[digest] == most
            is_tie = is_tie and others[0][1] == most
            found[site][domain] = found[site][domain]._replace(
                reference=chosen, tie=is_tie, is_compared=digest == right
            )
    return found


def _unreadable(name: str, error: ErrorInfo) -> SiteFailed:
    failure = SiteFailed(
        f'The site "{name}", which the others are to be compared with, cannot be read:'
        f" {error.message}",
        hint=error.hint,
        sqlstate=error.sqlstate,
    )
    failure.exit_status = error.exit_status
    return failure


def _with_differences(pool: SitePool, outcomes: Sequence[Outcome], found: Found) -> list[Outcome]:
    """Add the differences to what was found; return the outcomes, with the errors since then."""
    wanted: dict[str, dict[str, str]] = {}
    for site, domains in found.items():
        for name, each in domains.items():
            if each.reference and each.fingerprint != found[each.reference][name].fingerprint:
                wanted.setdefault(site, {})[name] = each.reference
    sites = {outcome.site.name: outcome.site for outcome in outcomes}
    needed: dict[str, set[str]] = {}
    for references in wanted.values():
        for domain, reference in references.items():
            needed.setdefault(reference, set()).add(domain)
    errors: dict[str, ErrorInfo] = {}
    texts: dict[tuple[str, str], str] = {}
    pool.work, pool.task = read_site, needed
    for outcome in pool.run([sites[name] for name in needed]):
        texts |= outcome.value or {}
        if outcome.error is not None:
            raise _unreadable(outcome.site.name, outcome.error)
    pool.work, pool.task = compare_site, ComparisonTask(wanted, texts)
    for outcome in pool.run([sites[name] for name in wanted]):
        name = outcome.site.name
        if outcome.error is not None:
            errors[name] = outcome.error
        for domain, differences in (outcome.value or {}).items():
            found[name][domain] = found[name][domain]._replace(
                differences=differences, is_compared=True
            )
    return [
        outcome._replace(error=errors.get(outcome.site.name, outcome.error)) for outcome in outcomes
    ]


def _verification(outcome: Outcome, domains: Mapping[str, DomainVerification]) -> SiteVerification:
    status: SiteStatus = "not compared"
    if outcome.error is not None:
        status = "failed"
    elif any(each.differences for each in domains.values()):
        status = "differs"
    elif domains and all(each.is_compared for each in domains.values()):
        status = "equal"
    return SiteVerification(
        outcome.site.name, status, tuple(domains.values()), outcome.error, outcome.seconds
    )


def digest_site(reporter: Reporter, names: Sequence[str]) -> tuple[DomainDigest, ...]:
    """Return the digest of each domain of the site that this process's connections lead to."""
    domains = [get_domain(name) for name in names]
    with translate_database_errors(DEFAULT_DB_ALIAS):
        cluster = read_cluster(connections[DEFAULT_DB_ALIAS])
        if cluster is not None:
            check_coordinator(connections[DEFAULT_DB_ALIAS], cluster, TO_READ)
        applied = {
            status.domain.name: frozenset(status.applied)
            for status in read_statuses(connections[DEFAULT_DB_ALIAS], domains)
        }
        return tuple(
            DomainDigest(
                domain.name,
                applied[domain.name],
                hashlib.sha256(_fingerprint(domain).encode()).hexdigest(),
            )
            for domain in domains
        )


def read_site(
    reporter: Reporter, needed: Mapping[str, Iterable[str]]
) -> dict[tuple[str, str], str]:
    """Return the fingerprints that others are compared with."""
    site = _site_here()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        return {(name, site): _fingerprint(get_domain(name)) for name in needed[site]}


def compare_site(reporter: Reporter, task: ComparisonTask) -> dict[str, tuple[str, ...]]:
    """Return the differences of each domain that has any."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        return {
            name: tuple(compare(task.texts[name, reference], _fingerprint(get_domain(name))))
            for name, reference in task.wanted[_site_here()].items()
        }


def _site_here() -> str:
    label: SiteLabel = connections[DEFAULT_DB_ALIAS].settings_dict[SITE]
    return label.name


def _fingerprint(domain: Domain) -> str:
    own = [table.name for table in domain.engine_tables]
    return fingerprint(connections[DEFAULT_DB_ALIAS], domain.schema, exclude=own)
