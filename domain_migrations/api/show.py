"""The function of ``show_domains``: the status of every domain."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain, get_domain, get_domains
from ..engine.cluster.places import Place, read_places
from ..engine.history.half_moves import HalfMove, find_half_moves
from ..engine.history.journal_queries import domains_with_unfinished_rows
from ..engine.history.status import DomainStatus, count_tables, read_statuses
from ..engine.history.tables import HistoryRow
from ..engine.history.usable import read_usable
from ..engine.messages import utc_time
from ..engine.runner.results import FORMAT, ErrorInfo
from ..engine.sources.files import MigrationKey
from ..exceptions import DomainMigrationsError, InvalidConfiguration


@dataclass(frozen=True)
class DomainOverview:
    """The status of one domain.

    Attributes:
        tables: how many there are in its schema.
        interrupted: the migration that a run left unfinished, if any.
        half_move: what is wrong if only its history or only its tables are in place.
        place: where it is in a cluster; None without one.
    """

    status: DomainStatus
    tables: int
    interrupted: MigrationKey | None = None
    half_move: HalfMove | None = None
    place: Place | None = None

    def as_json(self) -> dict[str, Any]:
        status = self.status
        return {
            "domain": status.domain.name,
            "schema": status.domain.schema,
            "history_table": str(status.domain.history_table),
            "applied": [
                {"app": row.app, "name": row.name, "applied_at": utc(row.applied)}
                for row in status.rows
            ],
            "pending": [key.as_json() for key in status.pending],
            "unknown": [key.as_json() for key in status.unknown],
            "tables": self.tables,
            "last_change": utc(status.last_change),
            **(self.place._asdict() if self.place else {}),
        }


class UnreachableDomain(NamedTuple):
    """A domain whose tables cannot be read, or are on a node that does not answer."""

    domain: Domain
    error: DomainMigrationsError

    def as_json(self) -> dict[str, Any]:
        return {
            "domain": self.domain.name,
            "schema": self.domain.schema,
            "error": ErrorInfo.of(self.error).as_json(),
        }


class DomainsRemark(NamedTuple):
    """What is to be known about the history of a domain; of all of them if it has no name."""

    domain: str
    text: str


@dataclass(frozen=True)
class DomainsOverview:
    """The domains of one database; without those that cannot be read."""

    database: str
    domains: tuple[DomainOverview, ...]
    unreachable: tuple[UnreachableDomain, ...] = ()

    def as_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "format": FORMAT,
            "database": self.database,
            "domains": [domain.as_json() for domain in self.domains],
        }
        if self.unreachable:
            values["unreachable"] = [domain.as_json() for domain in self.unreachable]
        return values


def show_domains(names: Sequence[str] = (), *, database: str | None = None) -> DomainsOverview:
    """Return the status of domains; creates nothing, and works on an empty database.

    Arguments:
        names: domains; all of them unless given.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain: no domain has that name.
        DatabaseUnavailable: the database cannot be reached. Domains on a node of its cluster that
            cannot be, and those whose tables someone has changed, are among the ``unreachable``.
        InsufficientPrivilege: the role may not read a history.
    """
    domains = [get_domain(name) for name in names] if names else list(get_domains())
    overviews: dict[str, DomainOverview] = {}
    errors: dict[str, DomainMigrationsError] = {}
    for alias in dict.fromkeys(database or domain.database for domain in domains):
        here = [domain for domain in domains if (database or domain.database) == alias]
        found, out_of_reach = read_usable(
            connections[alias], here, partial(_read_overviews, connections[alias])
        )
        overviews |= found or {}
        errors |= out_of_reach
    return DomainsOverview(
        database or DEFAULT_DB_ALIAS,
        tuple(overviews[domain.name] for domain in domains if domain.name in overviews),
        tuple(
            UnreachableDomain(domain, errors[domain.name])
            for domain in domains
            if domain.name in errors
        ),
    )


def _read_overviews(
    connection: BaseDatabaseWrapper, domains: list[Domain]
) -> dict[str, DomainOverview]:
    statuses = read_statuses(connection, domains)
    tables = count_tables(connection, domains)
    interrupted = interrupted_migrations(connection, domains)
    half_moves = _half_moves(connection, statuses)
    places = read_places(connection, domains)
    return {
        (name := status.domain.name): DomainOverview(
            status, tables[name], interrupted.get(name), half_moves.get(name), places.get(name)
        )
        for status in statuses
    }


def interrupted_migrations(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, MigrationKey]:
    """Return domain name → its interrupted migration, for the domains that have one."""
    possible = domains_with_unfinished_rows(connection, domains)
    if not possible:
        return {}
    from ..engine.runner.interruptions import find_interruption  # Few domains were interrupted.

    found = {
        domain.name: find_interruption(connection, domain)
        for domain in domains
        if domain.name in possible
    }
    return {name: interruption.key for name, interruption in found.items() if interruption}


class Elsewhere(NamedTuple):
    """What Django's lists of migrations need to know of the histories.

    Attributes:
        rows: applied migrations that are in another history yet.
        remarks: what is wrong there.
        domains: those whose histories can be read.
        unreachable: the others.
    """

    rows: list[HistoryRow]
    remarks: list[DomainsRemark]
    domains: list[Domain]
    unreachable: list[UnreachableDomain]


def read_elsewhere(connection: BaseDatabaseWrapper) -> Elsewhere:
    """Return which histories can be read, and what is to be known beside their rows.

    A declared adoption, or its undoing, moves the rows with its next run.
    """
    every = get_domains()
    found, errors = read_usable(connection, every, partial(_rows_elsewhere, connection))
    rows, remarks = found or ([], [])
    return Elsewhere(
        rows,
        remarks,
        [domain for domain in every if domain.name not in errors],
        [
            UnreachableDomain(domain, errors[domain.name])
            for domain in every
            if domain.name in errors
        ],
    )


def _rows_elsewhere(
    connection: BaseDatabaseWrapper, domains: list[Domain]
) -> tuple[list[HistoryRow], list[DomainsRemark]]:
    remarks = [
        DomainsRemark(name, f"{half.message} {half.hint}")
        for name, half in _half_moves(connection, read_statuses(connection, domains)).items()
    ]
    from ..engine.runner.adoption.moves import waiting_rows  # Only showmigrations asks for them.

    try:
        return waiting_rows(connection, domains), remarks
    except InvalidConfiguration as exc:
        return [], remarks or [DomainsRemark("", f"{exc.message} {exc.hint}")]


def _half_moves(
    connection: BaseDatabaseWrapper, statuses: Collection[DomainStatus]
) -> dict[str, HalfMove]:
    """Return domain name → what is wrong, for the domains that were moved in part."""
    try:
        return {domain.name: half for domain, half in find_half_moves(connection, statuses)}
    except ValueError:
        return {}  # The name of a table is malformed, as a check says.


def utc(moment: datetime.datetime | None) -> str | None:
    """Return the moment in UTC as ISO 8601 with seconds."""
    return None if moment is None else utc_time(moment)
