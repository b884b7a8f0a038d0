"""Parts of tables that another domain has made, before the tables went to this one.

Triggers, types and the like go along with a table. The migration that made them with SQL is the
other domain's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from ...domains import Domain, QualifiedName
from ...engine.history.journal_queries import created_objects, read_entries
from ...engine.messages import Finding
from ...engine.runner.transfer.pair_run import TRANSFERRED
from ...engine.sessions.connection import fetch_all
from ...engine.sources.files import MigrationKey
from ...engine.sources.transfer_halves import Half, half_in
from .applied import applied_migrations
from .recorded_history import tolerant_loader

SELECT_STATISTICS = """
SELECT DISTINCT stxname FROM pg_statistic_ext s
JOIN unnest(%s::text[]) AS t (name) ON s.stxrelid = to_regclass(t.name)
"""


class MadeElsewhere(NamedTuple):
    """What made the parts of tables that a domain has got.

    Attributes:
        migrations: the applied ones of the domains that had the tables.
        created: what their SQL created, under the names that it has got in the domain's schema.
    """

    migrations: tuple[Migration, ...] = ()
    created: frozenset[str] = frozenset()


def made_elsewhere(
    connection: BaseDatabaseWrapper, domain: Domain, applied: Sequence[Migration]
) -> MadeElsewhere:
    """Return what other domains made for the tables that the applied migrations have got."""
    halves = {half: migration for migration in applied if (half := _received(migration))}
    migrations: list[Migration] = []
    created: set[str] = set()
    for source in {half.other_domain.name: half.other_domain for half in halves}.values():
        loader = tolerant_loader(connection, source)
        if isinstance(loader, Finding):
            continue  # It is one of the findings about that domain.
        migrations += applied_migrations(loader)
        entries = {each for some in created_objects(connection, source).values() for each in some}
        for half, migration in halves.items():
            if half.other_domain == source:
                created.update(_renamed(entries, _tables(migration), domain.schema))
    return MadeElsewhere(tuple(migrations), frozenset(created))


def given_away(
    connection: BaseDatabaseWrapper, domain: Domain, applied: Sequence[Migration]
) -> dict[MigrationKey, frozenset[str]]:
    """Return what the applied migrations have given away, as objects that they have changed.

    Statistics are those that the tables have now, of the same names.
    """
    given = {
        half.key: {f"table {table}" for table in _tables(migration)}
        for migration in applied
        if (half := half_in(migration)) is not None and not half.receives
    }
    if not given:
        return {}
    for migration in applied:
        if (key := MigrationKey.of(migration)) in given:
            names = [new.db_table for new in _tables(migration).values()]
            rows = fetch_all(connection, SELECT_STATISTICS, [names])
            given[key] |= {f"statistics {domain.schema}.{name}" for (name,) in rows}
    for entry in read_entries(connection, domain):
        found = entry.details.get(TRANSFERRED)
        if entry.key in given and isinstance(found, dict):
            given[entry.key] |= {
                f"{str(kind).lower()} {domain.schema}.{name}"
                for kind, name in found.get("followers", ())
            }
    return {key: frozenset(names) for key, names in given.items()}


def _received(migration: Migration) -> Half | None:
    half = half_in(migration)
    return half if half is not None and half.receives else None


def _tables(migration: Migration) -> Mapping[QualifiedName, QualifiedName]:
    operation: Any = migration.operations[0]
    return {QualifiedName.of(old): QualifiedName.of(new) for old, new in operation.tables.items()}


def _renamed(
    entries: Iterable[str], tables: Mapping[QualifiedName, QualifiedName], schema: str
) -> Iterator[str]:
    """Yield what a journal has as created, under its names after a transfer."""
    names = {str(old): str(new) for old, new in tables.items()}
    for entry in entries:
        number, _, title = entry.partition(" ")
        plain = title.replace('"', "")
        parts = plain.split(".")
        table = ".".join(parts[:2])
        rest = "".join(f".{part}" for part in parts[2:])
        yield f"{number} {names.get(table, f'{schema}.{parts[1]}')}{rest}"
