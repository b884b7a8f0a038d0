"""Writing domains' snapshots: what ``snapshot_domain`` does.

A snapshot is not taken from a database that somebody works with, but from a scratch database in
which core and the domain were replayed; so nothing that was made by hand gets into it. Before
it is written, it is restored into a second scratch database and must give the same catalog and
the same rows; with rows, a second replay must give them again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ..domains import CORE, Domain, get_domain, get_domains
from ..engine.catalog.drift import unmanaged_objects
from ..engine.catalog.fingerprint import compare, fingerprint
from ..engine.history.tables import ensure_schema
from ..engine.runner.loader import load_domain
from ..engine.runner.options import MigrateOptions
from ..engine.runner.project_state import applied_project_state
from ..engine.runner.reporter import Reporter
from ..engine.sessions.connection import first_line
from ..engine.sessions.scratch_databases import connections_redirected_to, scratch_database
from ..engine.snapshots.normalise import insert_target, is_data, normalise
from ..engine.snapshots.pg_dump import dump_schema
from ..engine.snapshots.schema import (
    core_columns,
    references_to_core,
    restore,
    schema_digest,
    schema_objects,
    sequence_starts,
    tables_with_rows,
)
from ..engine.snapshots.snapshot_file import (
    Snapshot,
    join_statements,
    new_snapshot_file,
    read_normalised,
)
from ..engine.snapshots.validity import checksum_on_disk
from ..engine.sources.files import MigrationKey
from ..exceptions import InvalidConfiguration, MigrationFailed
from .migrate import migrate_domains


@dataclass(frozen=True, kw_only=True)
class SnapshotResult:
    """What came of writing a snapshot.

    Attributes:
        path: the file.
        snapshot: what is in it.
        is_changed: whether the file was, or would be, another one than before.
        warnings: what migrations have made and the snapshot has not, a sentence each.
    """

    domain: str
    path: Path
    snapshot: Snapshot
    is_changed: bool
    warnings: tuple[str, ...] = ()


def snapshot_domains(
    names: Sequence[str],
    *,
    database: str | None = None,
    write: bool = True,
    report: Callable[[SnapshotResult], None] = lambda _: None,
) -> tuple[SnapshotResult, ...]:
    """Replay domains in scratch databases, and write the schema of each into one file.

    Arguments:
        names: domains, all of them on one database.
        database: the alias whose server to use; the first domain's own unless given.
        write: else only compare with what is there.
        report: told of each at once.

    Raises:
        UnknownDomain: a name is no domain's.
        InvalidConfiguration: a domain cannot have a snapshot, or there is no ``pg_dump``.
        PrivilegeMissing: the role may not create databases.
        MigrationFailed: the migrations do not run.
    """
    places = {get_domain(name): _target_path(get_domain(name)) for name in names}
    alias = database or next(iter(places)).database
    done = []
    with scratch_database(alias, "snapshot_base") as base:
        with connections_redirected_to(base):
            _migrate(CORE, alias, Reporter())
        for domain, path in places.items():
            done.append(_write_snapshot(SnapshotBuilder(domain, alias, base), path, write=write))
            report(done[-1])
    return tuple(done)


def _target_path(domain: Domain) -> Path:
    if domain.is_core:
        raise InvalidConfiguration(
            'core has no snapshot: its schema "public" is shared by apps whose migrations come'
            " with other packages, and by what else the database holds.",
            hint="Name a domain; core is always replayed.",
        )
    path = new_snapshot_file(domain)
    if path is None:
        raise InvalidConfiguration(
            f'The domain "{domain.name}" has no migrations, so there is nothing to take.',
            hint=f"Run: manage.py makemigrations {domain.app_labels[0]}",
        )
    return path


def _write_snapshot(taking: SnapshotBuilder, path: Path, *, write: bool) -> SnapshotResult:
    made = taking.run()
    text = made.render().encode()
    before = read_normalised(path) if path.is_file() else b""
    if write and before != text:
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_bytes(text)
        new.replace(path)
    return SnapshotResult(
        domain=taking.domain.name,
        path=path,
        snapshot=made,
        is_changed=before != text,
        warnings=tuple(taking.warnings),
    )


def _migrate(domain: str, alias: str, reporter: Reporter) -> None:
    options = MigrateOptions(database=alias, interactive=False, verbosity=0, replay=True)
    (result,) = migrate_domains([domain], options, reporter=reporter).domains
    if result.error is not None:
        raise MigrationFailed(
            f"The migrations cannot be replayed: {result.error.message}",
            hint="Nothing was written.",
            sqlstate=result.error.sqlstate,
        )


class RowOrigin(Reporter):
    """Notes which migrations ran, and which of them first left rows in a table.

    Attributes:
        first: quoted table → migration.
    """

    def __init__(self, domain: Domain, alias: str) -> None:
        self.owner, self.alias = domain, alias
        self.seen: list[MigrationKey] = []
        self.first: dict[str, MigrationKey] = {}

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if action == "apply_success" and migration is not None:
            self.seen.append(MigrationKey.of(migration))
            for table in tables_with_rows(connections[self.alias], self.owner):
                self.first.setdefault(table, self.seen[-1])


@dataclass
class SnapshotBuilder:
    """A domain's snapshot being taken.

    Attributes:
        base: a database with core alone.
    """

    domain: Domain
    alias: str
    base: str
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def watcher(self) -> RowOrigin:
        return RowOrigin(self.domain, self.alias)

    def run(self) -> Snapshot:
        with self._scratch() as connection:
            _migrate(self.domain.name, self.alias, self.watcher)
            self.catalogs = _catalogs(connection)
            made = self._read(connection)
        self._check_restores(made)
        rows = [statement for statement in made.statements if is_data(statement)]
        if rows:
            self._check_again(rows)
        return made

    @contextmanager
    def _scratch(self) -> Iterator[BaseDatabaseWrapper]:
        """Make a copy of the base, with the domain's schema, that every alias leads to."""
        purpose = f"snapshot_{self.domain.name[:30]}"
        with (
            scratch_database(self.alias, purpose, template=self.base) as name,
            connections_redirected_to(name),
        ):
            ensure_schema(connections[self.alias], self.domain.schema)
            yield connections[self.alias]

    def _read(self, connection: BaseDatabaseWrapper) -> Snapshot:
        domain, loader = self.domain, load_domain(connection, self.domain)
        contained = [loader.graph.nodes[key] for key in self.watcher.seen]
        self._check_writes(connection, contained)
        return Snapshot(
            domain=domain.name,
            migrations={key: checksum_on_disk(key) for key in self.watcher.seen},
            fingerprint=schema_digest(schema_objects(connection, domain)),
            core=core_columns(connection, domain),
            unmanaged=unmanaged_objects(
                connection, domain, applied_project_state(loader), contained
            ),
            body=join_statements(self._dumped(connection)),
        )

    def _dumped(self, connection: BaseDatabaseWrapper) -> tuple[str, ...]:
        text = dump_schema(connection, self.domain.schema, exclude=self.domain.engine_tables)
        return normalise(text, sequence_starts(connection, self.domain))

    def _check_writes(self, connection: BaseDatabaseWrapper, contained: list[Migration]) -> None:
        """Refuse rows of core, and rows that mean something only beside those that were here."""
        for migration in contained:
            if getattr(migration, "writes_core", False):
                raise self._refused(f"{migration} writes rows of core, which are not in it")
        for table, column, target in references_to_core(connection, self.domain):
            raise self._refused(
                f"{self.watcher.first.get(table, 'one of them')} inserts rows into {table} whose"
                f" {column} points at rows of {target}, which may be others elsewhere"
            )

    def _check_restores(self, made: Snapshot) -> None:
        with self._scratch() as connection:
            try:
                with transaction.atomic(using=self.alias):
                    restore(connection, made.body)
            except Error as exc:
                reason = f"it cannot be restored: {first_line(exc)}"
                raise self._refused(reason) from exc
            differences = self._differences(_catalogs(connection))
            grants = [item for item in differences if item.startswith("privileges ")]
            others = [item for item in differences if item not in grants]
            if others:
                raise self._refused(f"it would not restore what they make: {others[0]}")
            if sorted(self._dumped(connection)) != sorted(made.statements):
                raise self._refused("it would not restore the rows, or the order of columns")
        if grants:
            self.warnings.append(
                "A snapshot has no grants, and the migrations make some that will be missing:"
                f" {'; '.join(grants)}. Give them with grant_domain, or do without a snapshot."
            )

    def _differences(self, restored: dict[str, str]) -> list[str]:
        own = tuple(f"privileges {table}" for table in self.domain.engine_tables)  # and sequences
        return [
            difference
            for schema in sorted(self.catalogs.keys() | restored.keys())
            for difference in compare(restored.get(schema, ""), self.catalogs.get(schema, ""))
            if not difference.replace('"', "").startswith(own)
        ]

    def _check_again(self, rows: list[str]) -> None:
        """Replay a second time: what depends on the hour or on chance cannot be kept."""
        with self._scratch() as connection:
            _migrate(self.domain.name, self.alias, Reporter())
            again = [statement for statement in self._dumped(connection) if is_data(statement)]
        if again == rows:
            return
        tables = (insert_target(row) for row in {*rows} ^ {*again})
        named = (self.watcher.first[table] for table in tables if table in self.watcher.first)
        migration = next(named, next(iter(self.watcher.first.values()), "one of them"))
        raise self._refused(f"{migration} inserts other rows each time that it runs")

    def _refused(self, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(
            f'The domain "{self.domain.name}" cannot have a snapshot of its migrations: {reason}.',
            hint="Nothing was written. Without one they are replayed, which is always right.",
        )


def _catalogs(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return schema → fingerprint with privileges, of every domain's schema."""
    return {
        domain.schema: fingerprint(
            connection,
            domain.schema,
            exclude=[table.name for table in domain.engine_tables],
            include_privileges=True,
        )
        for domain in get_domains()
    }
