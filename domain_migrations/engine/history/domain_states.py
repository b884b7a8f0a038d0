"""The states of many domains: the summaries of their statuses, from names alone."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ..sources.files import MigrationKey, migration_file, migrations_on_disk
from ..sources.parsing import read_replaces_and_stage
from .status import Differences, DomainStatus, differences
from .tables import applied_names, rows_of_own_apps


class DomainState(enum.Enum):
    """The summary of a domain's status: the first of these that applies."""

    PENDING = "pending"
    """Migrations are left to be applied, or a squashed one to be recorded."""
    UNKNOWN = "unknown"
    CURRENT = "current"


def read_states(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, DomainState]:
    """Return domain name → its state, without computing the whole status."""
    owned = rows_of_own_apps(applied_names(connection, domains), get_domains())
    return {domain.name: _state(domain, set(owned[domain.name])) for domain in domains}


def _state(domain: Domain, applied: set[MigrationKey]) -> DomainState:
    disk = migrations_on_disk(domain.app_labels)
    missing = disk - applied
    # If a migration that replaces no others is missing, something is pending: itself, or the
    # squashed one that replaces it. So a single file is parsed instead of all.
    if any(not read_replaces_and_stage(migration_file(key)).replaces for key in missing):
        return DomainState.PENDING
    return state_of(differences(domain, disk, applied))


def state_of(found: Differences | DomainStatus) -> DomainState:
    """Return the state that summarises a status or its differences."""
    if found.pending or found.unrecorded_squash:
        return DomainState.PENDING
    return DomainState.UNKNOWN if found.unknown else DomainState.CURRENT
