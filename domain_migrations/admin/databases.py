"""Reading many domains, database by database, with the reason for each that is unreadable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..engine.history.existing_tables import existing_tables, unusable_domains
from ..engine.history.usable import read_usable
from ..engine.sessions.database_problems import translate_database_errors
from ..exceptions import ChangedTable, DomainMigrationsError, NewerTables

Found = TypeVar("Found")
Reader = Callable[[BaseDatabaseWrapper, list[Domain]], Iterable[Found]]


def read_databases(
    domains: Sequence[Domain], read: Reader[Found]
) -> tuple[list[Found], dict[str, str]]:
    """Return what the reader found in each database, and why the rest is unreadable.

    The reader is called once for each database, with the domains in it, and once more without
    those on a node of its cluster that is down. The reasons are by alias, or by such a domain.
    """
    out_of_reach: dict[str, str] = {}
    found, problems = _each_database(
        domains, lambda connection, here: _reachable(connection, here, read, out_of_reach)
    )
    return found, problems | out_of_reach


def _each_database(
    domains: Sequence[Domain], read: Reader[Found]
) -> tuple[list[Found], dict[str, str]]:
    """Return what the reader found in each database, and alias → why the others are unreadable."""
    found: list[Found] = []
    problems: dict[str, str] = {}
    for alias in dict.fromkeys(domain.database for domain in domains):
        try:
            with translate_database_errors(alias):
                found += read(connections[alias], [d for d in domains if d.database == alias])
        except DomainMigrationsError as exc:
            problems[alias] = exc.full_message
    return found, problems


def _reachable(
    connection: BaseDatabaseWrapper,
    domains: list[Domain],
    read: Reader[Found],
    problems: dict[str, str],
) -> Iterable[Found]:
    """Return what the reader found, and add the domains that are out of reach to the problems."""
    found, out_of_reach = read_usable(
        connection, domains, lambda part: list(read(connection, part))
    )
    problems |= {name: exc.full_message for name, exc in out_of_reach.items()}
    return found or ()


def read_domains(
    domains: Sequence[Domain], read: Reader[tuple[str, Found]]
) -> tuple[dict[str, Found], dict[str, str]]:
    """Return what the reader found by domain name, and why the other domains are unreadable.

    The reader gets the domains of a database that the connection's role may read.
    """
    problems: dict[str, str] = {}

    def read_readable(
        connection: BaseDatabaseWrapper, here: list[Domain]
    ) -> Iterable[tuple[str, Found]]:
        problems.update(_unreadable(connection, here))
        readable = [domain for domain in here if domain.name not in problems]
        return _reachable(connection, readable, read, problems)

    found, failed = _each_database(domains, read_readable)
    for domain in domains:
        if domain.database in failed:
            problems[domain.name] = failed[domain.database]
    return dict(found), problems


def _unreadable(connection: BaseDatabaseWrapper, domains: list[Domain]) -> dict[str, str]:
    """Return domain name → why the connection cannot read the domain's journal and history."""
    if connection.vendor != "postgresql":
        problem = f'The database "{connection.alias}" is not PostgreSQL.'
        return {domain.name: problem for domain in domains}
    tables = [table for d in domains for table in (d.history_table, d.journal_table)]
    try:
        found = existing_tables(connection, tables)
    except (ChangedTable, NewerTables):
        unusable = unusable_domains(connection, domains)
        rest = [domain for domain in domains if domain.name not in unusable]
        problems = {name: error.full_message for name, error in unusable.items()}
        return {**problems, **_unreadable(connection, rest)}
    forbidden = {table for table, may in found.items() if not may}
    role = connection.settings_dict.get("USER") or "in use"
    return {
        domain.name: f'The role "{role}" may not read {domain.history_table} and'
        f" {domain.journal_table}. GRANT USAGE on the schema and SELECT on both."
        for domain in domains
        if {domain.history_table, domain.journal_table} & forbidden
    }
