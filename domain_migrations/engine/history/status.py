"""The read path: what is applied, pending and unknown in each domain.

Nothing here writes, and no migration module is imported: names on disk are compared with
names in the histories, and where those differ the files' syntax trees say which migrations a
squashed one replaces.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName, get_domains
from ...exceptions import InvalidConfiguration
from ..messages import shortened
from ..sources.files import MigrationKey, migration_file, migrations_on_disk, sorted_keys
from ..sources.parsing import read_header, squash_map
from .journal_queries import last_run_statuses
from .tables import HistoryRow, applied_names, applied_names_bulk, read_histories, rows_of_own_apps


@dataclass(frozen=True, kw_only=True)
class DomainStatus:
    """Where one domain stands in one database.

    Attributes:
        rows: the domain's history, oldest first; empty where only names were read.
        pending: on disk, not applied.
        unknown: applied, but not on disk and not replaced by a squashed migration on disk.
        unrecorded_squash: a squashed migration whose replaced ones are all applied is not
            recorded itself yet.
        misplaced: rows of the domain's apps found in core's history table, where they do not
            count.
        last_run: the journal's status of the latest run, None where there was no run.
    """

    domain: Domain
    rows: tuple[HistoryRow, ...]
    pending: tuple[MigrationKey, ...]
    unknown: tuple[MigrationKey, ...]
    unrecorded_squash: bool
    in_core_history: tuple[MigrationKey, ...]
    last_run: str | None

    @property
    def up_to_date(self) -> bool:
        """Nothing to apply, nothing to record, and the latest run got to its end."""
        return not self.pending and self.is_consistent

    @property
    def is_consistent(self) -> bool:
        """Nothing is left over from earlier runs, whatever is pending."""
        return not self.unrecorded_squash and self.last_run in (None, "done")

    @property
    def last_change(self) -> datetime.datetime | None:
        return max((row.applied for row in self.rows), default=None)


def read_statuses(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain] | None = None
) -> list[DomainStatus]:
    """Return the status of each domain, in the order given; of all unless given."""
    every = get_domains()
    wanted = every if domains is None else domains
    found = read_histories(connection, list(dict.fromkeys((every[0], *wanted))))
    owned = rows_of_own_apps(found, every)
    last_runs = last_run_statuses(connection, wanted)
    return [
        status_from(
            domain,
            owned[domain.name],
            misplaced=[] if domain.is_core else found[every[0].name],
            last_run=last_runs.get(domain.name),
        )
        for domain in wanted
    ]


def status_from(
    domain: Domain,
    rows: Sequence[HistoryRow],
    *,
    misplaced: Sequence[HistoryRow] = (),
    last_run: str | None = None,
) -> DomainStatus:
    """Return what the domain's rows come to, beside what is on disk."""
    names = ((row.app, row.name) for row in rows)
    status = status_from_names(domain, names, misplaced=((row.app, row.name) for row in misplaced))
    return replace(status, rows=tuple(rows), last_run=last_run)


def status_from_names(
    domain: Domain,
    names: Iterable[tuple[str, str]],
    *,
    misplaced: Iterable[tuple[str, str]] = (),
) -> DomainStatus:
    """Return what the names in the domain's history come to, beside what is on disk.

    How the latest run ended is not asked.

    Arguments:
        misplaced: those in core's history.
    """
    disk = migrations_on_disk(domain.app_labels)
    found = differences(domain, disk, {MigrationKey(*name) for name in names})
    labels = set(domain.app_labels)
    return DomainStatus(
        domain=domain,
        rows=(),
        pending=sorted_keys(found.pending),
        unknown=sorted_keys(found.unknown),
        unrecorded_squash=found.unrecorded_squash,
        in_core_history=sorted_keys(key for key in misplaced if key[0] in labels),
        last_run=None,
    )


class Differences(NamedTuple):
    """As the attributes of :class:`DomainStatus`, in no order."""

    pending: set[MigrationKey]
    unknown: set[MigrationKey]
    unrecorded_squash: bool


def differences(domain: Domain, disk: set[MigrationKey], applied: set[MigrationKey]) -> Differences:
    """Return how what is applied differs from what is on disk, squashed migrations considered."""
    pending, unknown, to_record = disk - applied, applied - disk, False
    if pending or unknown:
        replacements = _replacements(domain, disk)
        pending, to_record = _pending(disk, applied, replacements)
        unknown -= {key for replaces in replacements.values() for key in replaces}
    return Differences(pending, unknown, to_record)


def _replacements(
    domain: Domain, disk: set[MigrationKey]
) -> dict[MigrationKey, frozenset[MigrationKey]]:
    """Return the squashed migrations and what each replaces."""
    return {
        key: replaces
        for label in domain.app_labels
        for key, replaces in squash_map(label).items()
        if key in disk
    }


def _pending(
    disk: set[MigrationKey],
    applied: set[MigrationKey],
    replacements: dict[MigrationKey, frozenset[MigrationKey]],
) -> tuple[set[MigrationKey], bool]:
    """Return what is left to apply, and whether a squashed migration waits to be recorded.

    Mirrors the replacements of ``MigrationLoader.build_graph``: a squashed migration stands
    for those it replaces where all or none of them are applied, else they stand for it.
    """
    nodes, done, to_record = set(disk), set(applied), False
    for key in sorted(replacements, key=lambda key: _squash_depth(key, replacements)):
        leaves = _replaced_leaves(key, replacements)
        hits = leaves & done
        if hits == leaves:
            to_record = to_record or key not in done
            done.add(key)
        else:
            done.discard(key)
        if hits in (leaves, frozenset()):
            nodes -= replacements[key]
        else:
            nodes.discard(key)
    return nodes - done, to_record


def _replaced_leaves(
    key: MigrationKey, replacements: dict[MigrationKey, frozenset[MigrationKey]]
) -> frozenset[MigrationKey]:
    if key not in replacements:
        return frozenset({key})
    return frozenset().union(
        *(_replaced_leaves(inner, replacements) for inner in replacements[key])
    )


def _squash_depth(
    key: MigrationKey, replacements: dict[MigrationKey, frozenset[MigrationKey]]
) -> int:
    if key not in replacements:
        return 0
    return 1 + max(_squash_depth(inner, replacements) for inner in replacements[key])


def check_not_in_core_history(status: DomainStatus) -> None:
    """Refuse to go on where migrations to apply are recorded in core's history.

    Raises:
        InvalidConfiguration: with the statements that move the rows.
    """
    lost = sorted(set(status.in_core_history) & set(status.pending))
    if not lost:
        return
    domain = status.domain
    labels = ", ".join(f"'{label}'" for label in domain.app_labels)
    raise InvalidConfiguration(
        f"public.django_migrations records {shortened(lost, 1)}, which belong"
        f' in {domain.history_table}; the domain "{domain.name}" would be'
        " migrated a second time.",
        hint=(
            f"Move the rows: INSERT INTO {domain.history_table} (app, name, applied)"  # noqa: S608 (shown, not run)
            f" SELECT app, name, applied FROM public.django_migrations WHERE app IN ({labels})"
            " ORDER BY id;"
            " then delete them from public.django_migrations."
        ),
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
    own: list[QualifiedName] = [table for domain in domains for table in domain.engine_tables]
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_TABLES,
            [
                [domain.schema for domain in domains],
                [table.schema for table in own],
                [table.name for table in own],
            ],
        )
        counts = dict(cursor.fetchall())
    return {domain.name: counts.get(domain.schema, 0) for domain in domains}


class BulkStatusReader:
    """Reads each database once, for a run that only asks whether something is pending.

    How the latest run of a domain ended is not asked.

    Arguments:
        names: the domains that will be asked about; those that do not exist do not matter.
        database: alias; each domain's own unless given.
    """

    def __init__(self, names: Sequence[str], database: str | None) -> None:
        self.every = get_domains()
        self.wanted = [domain for domain in self.every if domain.name in names]
        self.database = database
        self._found: dict[str, dict[str, DomainStatus]] = {}

    def status(self, connection: BaseDatabaseWrapper, domain: Domain) -> DomainStatus:
        """Return the domain's status, of all that were wanted from the same database at once."""
        found = self._found.get(connection.alias)
        if found is None:
            beside = [
                other
                for other in self.wanted
                if (self.database or other.database) == connection.alias
            ]
            try:
                found = self._read(connection, beside)
            except ProgrammingError:
                found = {}  # Something is wrong with one of them, which is not the others' fault.
            self._found[connection.alias] = found
        if domain.name not in found:
            found |= self._read(connection, [domain])
        return found[domain.name]

    def _read(
        self, connection: BaseDatabaseWrapper, domains: Sequence[Domain]
    ) -> dict[str, DomainStatus]:
        core = self.every[0]
        names = applied_names_bulk(connection, list(dict.fromkeys((core, *domains))))
        owned = rows_of_own_apps(names, self.every)
        return {
            domain.name: status_from_names(
                domain,
                owned[domain.name],
                misplaced=() if domain.is_core else names[core.name],
            )
            for domain in domains
        }


class DomainState(enum.Enum):
    """What a domain's status comes to; the first of them that holds."""

    PENDING = "pending"
    """Migrations wait to be applied, or a squashed one to be recorded."""
    UNKNOWN = "unknown"
    CURRENT = "current"


def read_states(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, DomainState]:
    """Return domain name → where it stands; the same as its status says."""
    owned = rows_of_own_apps(applied_names(connection, domains), get_domains())
    return {
        domain.name: _standing(domain, {MigrationKey(*row) for row in owned[domain.name]})
        for domain in domains
    }


def _standing(domain: Domain, applied: set[MigrationKey]) -> DomainState:
    disk = migrations_on_disk(domain.app_labels)
    missing = disk - applied
    # Where a migration that replaces no others is missing, something is pending: itself, or the
    # squashed one that stands for it. So one file is read, and not all of the domain's.
    if any(not read_header(migration_file(key)).replaces for key in missing):
        return DomainState.PENDING
    return state_of(differences(domain, disk, applied))


def state_of(found: Differences | DomainStatus) -> DomainState:
    """Return what a domain's status, or as much of it as matters, comes to."""
    if found.pending or found.unrecorded_squash:
        return DomainState.PENDING
    return DomainState.UNKNOWN if found.unknown else DomainState.CURRENT
