"""Whether very many domains are up to date, told without what each status would cost."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ..declared import declared
from ..domains import Domain, get_domains
from ..files import MigrationKey, migration_file, migrations_on_disk
from ..history.tables import owned_rows, read_names
from .status import Differences, DomainStatus, differences


class Standing(enum.Enum):
    """What a domain's status comes to; the first of them that holds."""

    PENDING = "pending"
    """Migrations wait to be applied, or a squashed one to be recorded."""
    UNKNOWN = "unknown"
    CURRENT = "current"


def read_standings(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, Standing]:
    """Return domain name → where it stands; the same as its status says."""
    owned = owned_rows(read_names(connection, domains), get_domains())
    return {
        domain.name: _standing(domain, {MigrationKey(*row) for row in owned[domain.name]})
        for domain in domains
    }


def _standing(domain: Domain, applied: set[MigrationKey]) -> Standing:
    disk = migrations_on_disk(domain.app_labels)
    missing = disk - applied
    # Where a migration that replaces no others is missing, something is pending: itself, or the
    # squashed one that stands for it. So one file is read, and not all of the domain's.
    if any(not declared(migration_file(key)).replaces for key in missing):
        return Standing.PENDING
    return standing_of(differences(domain, disk, applied))


def standing_of(found: Differences | DomainStatus) -> Standing:
    """Return what a domain's status, or as much of it as matters, comes to."""
    if found.pending or found.squash_to_record:
        return Standing.PENDING
    return Standing.UNKNOWN if found.unknown else Standing.CURRENT
