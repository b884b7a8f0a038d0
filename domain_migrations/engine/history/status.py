"""The status of domains: what is applied, pending and unknown.

Nothing is written and no migration is imported: names on disk are compared with names in the
histories, and where they differ, the files' syntax trees show what squashed migrations replace.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName, get_domains
from ...exceptions import InvalidConfiguration
from ..messages import shortened
from ..sessions.connection import fetch_all
from ..sources.files import MigrationKey, migrations_on_disk
from .existing_tables import existing_tables
from .tables import (
    HistoryRow,
    read_histories,
    read_names_and_last_runs,
    recorded_run_statuses,
    rows_of_own_apps,
)


class DomainStatus(NamedTuple):
    """The status of one domain in one database.

    Attributes:
        rows: the domain's history, oldest first; empty if only names were read.
        applied: the keys in it.
        pending: on disk, not applied; and those that are missing.
        missing: neither applied nor on disk, but replaced by a squashed migration that is applied
            in part, so that nothing can apply them.
        unknown: applied, but not on disk and not replaced by a squashed migration on disk.
        unrecorded_squash: whether a squashed migration, all of whose replaced ones are applied,
            is not recorded itself yet.
        in_core_history: rows of the domain's apps in core's history table, where they do not
            count.
        last_run: the journal's status of the latest run, None if there was no run.
    """

    domain: Domain
    rows: tuple[HistoryRow, ...]
    applied: frozenset[MigrationKey]
    pending: tuple[MigrationKey, ...]
    missing: tuple[MigrationKey, ...]
    unknown: tuple[MigrationKey, ...]
    unrecorded_squash: bool
    in_core_history: tuple[MigrationKey, ...]
    last_run: str | None

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is pending or to be recorded, and the latest run succeeded."""
        return not self.pending and self.is_consistent

    @property
    def is_consistent(self) -> bool:
        """Whether earlier runs left nothing to be done, whatever is pending."""
        return not self.unrecorded_squash and self.last_run in (None, "done")

    @property
    def last_change(self) -> datetime.datetime | None:
        return max((row.applied for row in self.rows if row.applied), default=None)


def read_statuses(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain] | None = None
) -> list[DomainStatus]:
    """Return the status of each domain, in the order given; all domains unless given."""
    every = get_domains()
    wanted = every if domains is None else domains
    found = read_histories(connection, list(dict.fromkeys((every[0], *wanted))))
    owned = rows_of_own_apps(found, every)
    last_runs = recorded_run_statuses(connection, wanted)
    return [
        status_from_names(
            domain,
            [row.key for row in owned[domain.name]],
            rows=owned[domain.name],
            misplaced=[] if domain.is_core else [row.key for row in found[every[0].name]],
            last_run=last_runs.get(domain.name),
        )
        for domain in wanted
    ]


def engine_tables(domains: Iterable[Domain]) -> list[QualifiedName]:
    """Return the tables that the domains' statuses are read from: core's history and their own."""
    own = [table for each in domains for table in (each.history_table, each.journal_table)]
    return [get_domains()[0].history_table, *own]


def read_name_statuses(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    existing: Collection[QualifiedName] | None = None,
) -> list[DomainStatus]:
    """Return the statuses without ``rows``; whatever the histories' length, few rows are read.

    Arguments:
        existing: those of the ``engine_tables`` that exist, if that is known already.
    """
    every = get_domains()
    if existing is None:
        existing = existing_tables(connection, engine_tables(domains))
    together = list(dict.fromkeys((every[0], *domains)))
    names, last_runs = read_names_and_last_runs(connection, together, existing)
    owned = rows_of_own_apps(names, every)
    return [
        status_from_names(
            domain,
            owned[domain.name],
            misplaced=() if domain.is_core else names[every[0].name],
            last_run=last_runs.get(domain.name),
        )
        for domain in domains
    ]


def status_from_names(
    domain: Domain,
    names: Iterable[MigrationKey],
    *,
    rows: Sequence[HistoryRow] = (),
    misplaced: Iterable[MigrationKey] = (),
    last_run: str | None = None,
) -> DomainStatus:
    """Return the status that follows from names in the histories and the files on disk.

    Arguments:
        names: the keys in the domain's history.
        misplaced: the keys in core's history.
    """
    disk, applied = migrations_on_disk(domain.app_labels), frozenset(names)
    found = differences(domain, disk, set(applied))
    return DomainStatus(
        domain=domain,
        rows=tuple(rows),
        applied=applied,
        pending=tuple(sorted(found.pending)),
        missing=tuple(sorted(found.missing)),
        unknown=tuple(sorted(found.unknown)),
        unrecorded_squash=found.unrecorded_squash,
        in_core_history=tuple(sorted(key for key in misplaced if key.app in domain.app_labels)),
        last_run=last_run,
    )


class Differences(NamedTuple):
    """The attributes of :class:`DomainStatus` of the same names, unsorted."""

    pending: set[MigrationKey]
    missing: set[MigrationKey]
    unknown: set[MigrationKey]
    unrecorded_squash: bool


def differences(domain: Domain, disk: set[MigrationKey], applied: set[MigrationKey]) -> Differences:
    """Return how applied migrations differ from those on disk, squashed ones considered."""
    if disk == applied:
        return Differences(set(), set(), set(), unrecorded_squash=False)
    from ..sources.parsing import squash_map  # Most domains are up to date: no file is parsed.

    replacements = {
        key: replaces
        for label in domain.app_labels
        for key, replaces in squash_map(label).items()
        if key in disk
    }
    pending, missing, to_record = _pending(disk, applied, replacements)
    unknown = (applied - disk).difference(*replacements.values())
    return Differences(pending | missing, missing, unknown, to_record)


def _pending(
    disk: set[MigrationKey],
    applied: set[MigrationKey],
    replacements: dict[MigrationKey, frozenset[MigrationKey]],
) -> tuple[set[MigrationKey], set[MigrationKey], bool]:
    """Return what is left to apply, what cannot be, and whether a squash is left to be recorded.

    Mirrors the replacements of ``MigrationLoader.build_graph``: a squashed migration takes the
    place of those it replaces if all or none of them are applied, else it is ignored.
    """
    nodes, done, to_record = set(disk), set(applied), False
    missing: set[MigrationKey] = set()
    leaves: dict[MigrationKey, set[MigrationKey]] = {}
    for key in TopologicalSorter(replacements).static_order():
        if key not in replacements:
            leaves[key] = {key}
            continue
        replaced = leaves[key] = set().union(*(leaves[inner] for inner in replacements[key]))
        applied_part = replaced & done
        if applied_part == replaced:
            to_record = to_record or key not in done
            done.add(key)
        else:
            done.discard(key)
        if not applied_part or applied_part == replaced:
            nodes -= replacements[key]
        else:
            nodes.discard(key)
            if key not in applied:
                missing |= replacements[key] - done - disk
    return nodes - done, missing, to_record


def check_none_missing(status: DomainStatus) -> None:
    """Refuse to run where a squashed migration is applied in part and the other files are gone.

    Django ignores such a squashed migration, and applies none of what is missing.

    Raises:
        InvalidConfiguration: with the missing migrations.
    """
    if status.missing:
        raise InvalidConfiguration(missing_message(status), hint=missing_hint(status))


def missing_message(status: DomainStatus) -> str:
    one = len(status.missing) == 1
    return (
        f"{shortened(status.missing)} {'is' if one else 'are'} not applied and not on disk:"
        f" a squashed migration replaces {'it' if one else 'them'}, of which other parts are"
        " applied."
    )


def missing_hint(status: DomainStatus) -> str:
    name = status.domain.name
    return (
        "First migrate with an earlier release that still has the files. For a migration whose"
        " changes are in the database already, run: manage.py repair_domain"
        f" {name} --mark-applied {status.missing[0]}"
    )


COUNT_TABLES = """
SELECT n.nspname, count(*)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s)
  AND (n.nspname, c.relname) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))
GROUP BY n.nspname
"""


def count_tables(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, int]:
    """Return domain name → number of tables in its schema, the engine's own left out."""
    own = [table for domain in domains for table in domain.engine_tables]
    schemas = [domain.schema for domain in domains]
    params = [schemas, [table.schema for table in own], [table.name for table in own]]
    counts = dict(fetch_all(connection, COUNT_TABLES, params))
    return {domain.name: counts.get(domain.schema, 0) for domain in domains}
