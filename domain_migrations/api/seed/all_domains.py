"""``seed_domain --all``: the seeds of every domain, core first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...domains import get_domains
from ...engine.runner.results import FORMAT, most_severe
from ...exceptions import RunStopped
from .run import SeedOptions, SeedReporter, SeedResult, seed_domain


@dataclass(frozen=True)
class SeedResults:
    """The results of the domains that were seeded, core first."""

    domains: tuple[SeedResult, ...]

    @property
    def exit_status(self) -> int:
        return most_severe(result.exit_status for result in self.domains)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "domains": [result.as_json() for result in self.domains]}


def seed_all_domains(
    options: SeedOptions | None = None,
    *,
    reporter: SeedReporter | None = None,
    report: Callable[[SeedResult], None] = lambda _: None,
) -> SeedResults:
    """Load the seeds of core and then of every other domain.

    A domain that fails does not stop the others. They are not seeded if core fails, whose rows
    their seeds refer to, or if the run is stopped by a signal.

    Arguments:
        report: called with each result immediately.
    """
    results: list[SeedResult] = []
    for domain in get_domains():
        result = seed_domain(domain.name, options, reporter=reporter)
        report(result)
        results.append(result)
        if result.error and (domain.is_core or result.error.code == RunStopped.code):
            break
    return SeedResults(tuple(results))
