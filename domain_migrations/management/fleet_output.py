"""The output of the commands for fleets: what happened where, and what to run next."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from django.core.management.base import BaseCommand, CommandError

from ..api import MigrateOptions
from ..api.fleet.fleet_overview import DomainPosition, FleetOverview, SiteOverview
from ..api.fleet.fleet_results import FAILURES, FleetResult, SiteResult
from ..api.fleet.fleet_verification import FleetVerification, SiteVerification
from ..engine.messages import counted, shortened
from ..engine.runner.results import ErrorInfo, RunResult
from ..exceptions import EXIT_FAILED
from .console import error_text
from .run_output import STATUS_STYLE, print_result, summary

SHOWN_DIFFERENCES = 20
SHOWN_SITES = 6
"""How many names of sites a line has; more of them are counted."""


def describe_migration(result: SiteResult) -> tuple[str, str, str]:
    """Return a site's status, what its line says and the line's style."""
    style = STATUS_STYLE.get(result.status, "")
    if result.error is not None:
        return result.status, f"{result.status}: {result.error.message}", style
    changed = [each for each in result.domains if each.status not in ("unchanged", "skipped")]
    if not changed:
        return result.status, "nothing to do", style
    parts = (f"{each.domain}: {summary(each)}" for each in changed)
    return result.status, "; ".join(parts), style


def describe_overview(result: SiteOverview) -> tuple[str, str, str]:
    """As :func:`describe_migration`, for ``show_fleet``."""
    style = STATUS_STYLE.get(result.status, "")
    return result.status, result.error.message if result.error else result.status, style


def describe_digest(error: ErrorInfo | None) -> tuple[str, str, str]:
    """As :func:`describe_migration`, for the first look of ``verify_fleet``."""
    return ("failed", error.message, "ERROR") if error else ("read", "read", "")


def sites_text(names: Sequence[str], most: int = SHOWN_SITES) -> str:
    """Return the names of sites, the first ones where there are many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def print_fleet(command: BaseCommand, result: FleetResult, options: MigrateOptions) -> None:
    """Print the plans of sites, equal ones once, and how many sites there are of each kind."""
    if options.wants_steps:
        _print_plans(command, result, options)
    if options.verbosity >= 1:
        numbers = ", ".join(f"{number} {status}" for status, number in result.counts.items())
        command.stdout.write(f"{numbers} in {result.seconds:.1f} s")


def _print_plans(command: BaseCommand, result: FleetResult, options: MigrateOptions) -> None:
    groups: dict[Hashable, list[SiteResult]] = {}
    for site in result.sites:
        if site.domains and site.error is None:
            key = tuple(
                (domain.domain, domain.status, *((step.key, step.sql) for step in domain.steps))
                for domain in site.domains
                if domain.steps
            )
            groups.setdefault(key, []).append(site)
    for sites in groups.values():
        names = sites_text([site.site for site in sites])
        title = f"{counted(len(sites), 'site')}: {names}"
        command.stdout.write(command.style.MIGRATE_HEADING(title))
        first = sites[0]
        print_result(command, RunResult(result.run, first.site, first.domains), options)


def raise_for_fleet(result: FleetResult) -> None:
    """Raise CommandError with a sentence for each kind of failure, and what to do next."""
    if not result.exit_status:
        return
    lines = _lines_for(
        ((site.site, error_text(site.error)) for site in result.sites if site.error),
    )
    pending = _lines_for(
        (site.site, f"There are pending migrations: {_pending(site)}.")
        for site in result.sites
        if site.status == "pending"
    )
    lines += pending
    skipped = [site.site for site in result.sites if site.status == "skipped"]
    if skipped and result.stopped:
        lines.append(_not_started(result.stopped, skipped))
    failed = [site.site for site in result.sites if site.status in FAILURES]
    if failed and len(failed) <= SHOWN_SITES:
        only = " ".join(f"--site {name}" for name in failed)
        lines.append(f"Next: correct the cause, and run the command again with: {only}")
    elif failed or skipped:
        lines.append(
            "Next: correct the cause, and run the same command again. What is applied stays"
            " applied; --only-pending continues with the other sites."
        )
    raise CommandError("\n".join(lines), returncode=result.exit_status)


def _not_started(stopped: str, skipped: Sequence[str]) -> str:
    return f"{stopped} Not started: {sites_text(skipped)}."


def raise_for_overview(overview: FleetOverview) -> None:
    """Raise CommandError with a sentence for each kind of error, and what was not started."""
    stopped = overview.stopped
    if overview.skipped:
        stopped = _not_started(stopped, overview.skipped)
    raise_for_sites(overview.sites, overview.exit_status, stopped)


def _pending(site: SiteResult) -> str:
    return shortened([key for domain in site.domains for key in domain.pending]) or "see --plan"


def _lines_for(sentences: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each sentence, after the names of the sites that it is about."""
    groups: dict[str, list[str]] = {}
    for site, sentence in sentences:
        groups.setdefault(sentence, []).append(site)
    return [f"{sites_text(sites)}: {sentence}" for sentence, sites in groups.items()]


def print_overview(command: BaseCommand, overview: FleetOverview) -> None:
    """Print the sites that are at the same migrations in one line, and then those."""
    groups = overview.groups
    for positions, names in groups:
        title = f"{counted(len(names), 'site')}: {sites_text(names)}"
        command.stdout.write(command.style.MIGRATE_HEADING(title))
        others = {each for other, _ in groups if other != positions for each in other}
        for position in positions:
            alone = len(groups) > 1 and position not in others
            _print_position(command, position, is_different=alone)


def _print_position(command: BaseCommand, position: DomainPosition, *, is_different: bool) -> None:
    latest = ", ".join(
        key.name if key.app == position.domain else str(key) for key in position.latest[-3:]
    )
    more = "" if len(position.latest) <= 3 else f" and {len(position.latest) - 3} other apps"
    text = f"  {position.domain}: {latest or 'nothing'}{more} ({position.applied} applied"
    text += f", {len(position.pending)} pending" if position.pending else ""
    text += f", {len(position.unknown)} unknown" if position.unknown else ""
    style = command.style.WARNING if is_different or position.unknown else str
    command.stdout.write(style(f"{text})"))
    for key in position.pending:
        command.stdout.write(f"    [ ] {key}")
    for key in position.unknown:
        command.stdout.write(command.style.WARNING(f"    [?] {key} (applied, not on disk)"))


def print_verification(command: BaseCommand, found: FleetVerification) -> None:
    """Print the differences of each site, equal ones once."""
    groups: dict[Hashable, list[SiteVerification]] = {}
    for site in found.differing:
        key = tuple((each.domain, each.reference, each.differences) for each in site.domains)
        groups.setdefault(key, []).append(site)
    for sites in groups.values():
        names = sites_text([site.site for site in sites])
        for each in sites[0].domains:
            if not each.differences:
                continue
            tie = ", a tie: as many sites are like either" if each.tie else ""
            verb = "differs" if len(sites) == 1 else "differ"
            title = f"{names} {verb} from {each.reference} in {each.domain}{tie}:"
            command.stdout.write(command.style.ERROR(title))
            for difference in each.differences[:SHOWN_DIFFERENCES]:
                command.stdout.write(f"  {difference}")
            if (left := len(each.differences) - SHOWN_DIFFERENCES) > 0:
                command.stdout.write(f"  … and {left} more")
    alone = _lines_for(
        (site.site, f'no other site has the same migrations of "{each.domain}" applied.')
        for site in found.sites
        for each in site.domains
        if each.reference is None and not found.stopped
    )
    for line in alone:
        command.stdout.write(command.style.WARNING(line))
    equal = sum(site.status == "equal" for site in found.sites)
    line = f"{counted(equal, 'site')} equal, {len(found.differing)} different"
    if others := [site.site for site in found.sites if site.status == "not compared"]:
        line += f", {len(others)} not compared ({sites_text(others)})"
    command.stdout.write(line)


def raise_for_sites(
    sites: Iterable[SiteOverview | SiteVerification], exit_status: int, *others: str
) -> None:
    """Raise CommandError with a sentence for each kind of error.

    Arguments:
        others: sentences about everything else that is wrong.
    """
    errors = _lines_for((site.site, error_text(site.error)) for site in sites if site.error)
    if exit_status:
        lines = [*errors, *filter(None, others)]
        raise CommandError("\n".join(lines), returncode=exit_status or EXIT_FAILED)
