"""Reading many domains, of which some cannot be reached, or have tables that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...exceptions import ChangedTable, DomainMigrationsError, NewerTables
from ..cluster.reach import read_reachable
from ..sessions.database_problems import translate_database_errors
from .existing_tables import unusable_domains

Found = TypeVar("Found")


def read_usable(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    read: Callable[[list[Domain]], Found],
) -> tuple[Found | None, dict[str, DomainMigrationsError]]:
    """Return what was read, and domain name → why the others could not be.

    Those are on a node that is down, or someone has changed one of their tables.

    Arguments:
        read: is called once more, with the other domains, where some cannot be read.

    Raises:
        DomainMigrationsError: any other error of the database, and what is wrong with core's
            history, which is read together with each domain's.
    """
    try:
        found, problems = read_reachable(connection, domains, read)
    except (ChangedTable, NewerTables):
        with translate_database_errors(connection.alias):
            unusable = unusable_domains(connection, domains)
        rest = [domain for domain in domains if domain.name not in unusable]
        if not unusable:
            raise
        if not rest:
            return None, unusable
        found, problems = read_reachable(connection, rest, read)
        return found, {**unusable, **problems}
    return found, dict(problems)
