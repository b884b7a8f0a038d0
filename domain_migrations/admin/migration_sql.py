"""A migration's SQL, collected where nothing can be changed by collecting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..engine.runner.dry_run.plan_preview import preview
from ..engine.runner.loader import DomainLoader
from ..engine.sessions.session import plain_copy
from ..engine.sources.files import MigrationKey


@dataclass(frozen=True)
class Statements:
    """What a migration does in one direction.

    Attributes:
        operations: in words.
        problem: why there are no statements; empty where there are.
    """

    operations: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    problem: str = ""


def collect_sql(domain: Domain, key: MigrationKey) -> tuple[Statements, Statements]:
    """Return what the migration does forwards and backwards.

    Loads the migrations of the domain and of core, and no others. An operation may do anything
    while its SQL is collected, so that happens in a transaction that PostgreSQL lets read only.
    """
    try:
        loader = DomainLoader(None, domain, replace_migrations=False)
        with read_only_transaction(domain.database) as connection:
            return (
                _collect(connection, loader, key, backwards=False),
                _collect(connection, loader, key, backwards=True),
            )
    except Exception as exc:  # whatever the code of the domain's migrations raises
        problem = Statements(problem=_sentence(exc))
        return problem, problem


def _collect(
    connection: BaseDatabaseWrapper, loader: DomainLoader, key: MigrationKey, *, backwards: bool
) -> Statements:
    migration = loader.disk_migrations[key]
    try:
        (step,) = preview(connection, loader, [(migration, backwards)])
    except Exception as exc:  # as above: what cannot go back raises too
        return Statements(problem=_sentence(exc))
    return Statements(step.operations, step.sql)


def _sentence(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}".rstrip(": ")


@contextmanager
def read_only_transaction(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own in one transaction that can only read, and is rolled back."""
    connection = plain_copy(connections[alias], AUTOCOMMIT=False)
    try:
        connection.ensure_connection()
        connection.connection.read_only = True
        yield connection
    finally:
        connection.close()
