"""The schema that a domain's applied migrations make, in a scratch database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE, Domain
from ...engine.alterations.definition import SchemaDefinition
from ...engine.sessions.scratch_databases import scratch_connection
from ...exceptions import MigrationFailed
from ..migrate import replay_migrations


def expected_schema(
    domain: Domain, alias: str, migrations: Collection[tuple[str, str]]
) -> SchemaDefinition:
    """Return what the migrations make in an empty database on the alias's server.

    Arguments:
        migrations: those to apply, of the domain and of core, with all that they depend on.

    Raises:
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: the migrations cannot be applied.
    """
    with migrated_scratch(domain, alias, migrations) as connection:
        own = [table.name for table in domain.engine_tables]
        return SchemaDefinition.read(connection, domain.schema, exclude=own)


@contextmanager
def migrated_scratch(
    domain: Domain, alias: str, migrations: Collection[tuple[str, str]] | None = None
) -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection to a scratch database in which core and the domain are migrated.

    Arguments and errors are those of :func:`expected_schema`; all migrations unless given.
    """
    with scratch_connection(alias, f"verify_{domain.name[:30]}") as connection:
        for name in dict.fromkeys((CORE, domain.name)):
            error = replay_migrations(name, alias, only=migrations)
            if error is not None:
                raise MigrationFailed(
                    f"What {domain.name} should be is not known: the migrations of {name} cannot be"
                    f" applied to an empty database: {error.message}",
                    hint=f"Find out why: manage.py prove_domain {domain.name}",
                )
        yield connection
