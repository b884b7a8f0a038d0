"""A scratch database in which a domain is migrated, to compare with what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import CORE, Domain
from ..engine.sessions.scratch_databases import scratch_connection
from ..exceptions import MigrationFailed
from .migrate import replay_migrations


@contextmanager
def migrated_scratch(
    domain: Domain, alias: str, migrations: Collection[tuple[str, str]] | None = None
) -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection to a scratch database in which core and the domain are migrated.

    Arguments:
        alias: the database on whose server the scratch database is created.
        migrations: those to apply, of the domain and of core, with all that they depend on; all
            of them unless given.

    Raises:
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: the migrations cannot be applied.
    """
    with scratch_connection(alias, f"expected_{domain.name[:30]}") as connection:
        for name in dict.fromkeys((CORE, domain.name)):
            error = replay_migrations(name, alias, only=migrations)
            if error is not None:
                raise MigrationFailed(
                    f"What {domain.name} should be is not known: the migrations of {name} cannot be"
                    f" applied to an empty database: {error.message}",
                    hint=f"Find out why: manage.py prove_domain {domain.name}",
                )
        yield connection
