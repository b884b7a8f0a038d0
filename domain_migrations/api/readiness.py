"""Readiness of domains: nothing that new code needs is left to be applied.

Orchestrators ask every second, so it takes one query for each database (one for each domain if a
table cannot be read, a few if a node of a cluster is down), and no migration is imported: stages
and squashed migrations are read from the files' syntax trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

from ..conf import get_settings
from ..domains import Domain, get_domain, get_domains
from ..engine.history.status import DomainStatus, status_from_names
from ..engine.history.tables import applied_names, rows_of_own_apps
from ..engine.history.usable import read_usable
from ..engine.runner.results import FORMAT, ErrorInfo
from ..engine.sources.files import MigrationKey
from ..engine.sources.stages import stage_of
from ..exceptions import (
    DomainMigrationsError,
    InsufficientPrivilege,
    InvalidConfiguration,
    MigrationFailed,
)


@dataclass(frozen=True, kw_only=True)
class DomainReadiness:
    """The readiness of one domain for the running code.

    Attributes:
        before: pending migrations that the code needs.
        after: pending migrations that wait for the code to be deployed.
        unknown: migrations applied by newer code.
        error: why the database could not be read.
    """

    domain: str
    before: tuple[MigrationKey, ...] = ()
    after: tuple[MigrationKey, ...] = ()
    unknown: tuple[MigrationKey, ...] = ()
    error: ErrorInfo | None = None

    @property
    def ready(self) -> bool:
        return not self.before and self.error is None

    def as_json(self, *, names: bool) -> dict[str, Any]:
        lists = {"before": self.before, "after": self.after, "unknown": self.unknown}
        values: dict[str, Any] = {"domain": self.domain, "ready": self.ready}
        values |= {word: None if self.error else len(keys) for word, keys in lists.items()}
        values["error"] = {"code": self.error.code} if self.error else None
        if names:
            values["error"] = self.error.as_json() if self.error else None
            values["names"] = {
                word: [key.as_json() for key in keys] for word, keys in lists.items()
            }
        return values


@dataclass(frozen=True)
class Readiness:
    """The readiness of several domains."""

    domains: tuple[DomainReadiness, ...]

    @property
    def ready(self) -> bool:
        return all(domain.ready for domain in self.domains)

    def as_json(self, *, names: bool = False) -> dict[str, Any]:
        """Return the response; ``names`` adds names of migrations and error messages."""
        return {
            "format": FORMAT,
            "ready": self.ready,
            "domains": [domain.as_json(names=names) for domain in self.domains],
        }


def check_readiness(names: Sequence[str] = ()) -> Readiness:
    """Return whether the domains are ready; those of an unreachable database are not.

    Arguments:
        names: domains; the setting ``READINESS_DOMAINS`` unless given, and all without that.

    Raises:
        UnknownDomain: no domain has that name.
        InvalidConfiguration: the domains are not declared correctly.
    """
    every = get_domains()
    chosen = list(names) or get_settings().readiness_domains
    wanted = every if chosen is None else [get_domain(name) for name in dict.fromkeys(chosen)]
    found: dict[str, DomainReadiness] = {}
    for alias in dict.fromkeys(domain.database for domain in wanted):
        here = [domain for domain in wanted if domain.database == alias]
        found |= {answer.domain: answer for answer in _read_database(alias, here, every)}
    return Readiness(tuple(found[domain.name] for domain in wanted))


def _read_database(
    alias: str, domains: Sequence[Domain], every: Sequence[Domain]
) -> list[DomainReadiness]:
    try:
        connection = connections[alias]
        names, out_of_reach = read_usable(
            connection, domains, lambda part: applied_names(connection, part)
        )
    except ConnectionDoesNotExist as exc:
        failed: DomainMigrationsError = InvalidConfiguration(str(exc))
    except (MigrationFailed, InsufficientPrivilege) as exc:
        if len(domains) > 1:
            # One of the tables cannot be read; the other domains may still be ready.
            return [
                answer for domain in domains for answer in _read_database(alias, [domain], every)
            ]
        failed = exc
    except DomainMigrationsError as exc:
        failed = exc
    else:
        owned = rows_of_own_apps(names or {}, every)
        return [
            DomainReadiness(domain=domain.name, error=ErrorInfo.of(out_of_reach[domain.name]))
            if domain.name in out_of_reach
            else _domain_readiness(status_from_names(domain, owned[domain.name]))
            for domain in domains
        ]
    return [DomainReadiness(domain=domain.name, error=ErrorInfo.of(failed)) for domain in domains]


def _domain_readiness(status: DomainStatus) -> DomainReadiness:
    stages = {key: stage_of(key) for key in status.pending}
    return DomainReadiness(
        domain=status.domain.name,
        before=tuple(key for key, stage in stages.items() if stage == "before"),
        after=tuple(key for key, stage in stages.items() if stage == "after"),
        unknown=status.unknown,
    )
