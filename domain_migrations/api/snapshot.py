"""The function of ``snapshot_domain``: writing domains' snapshots.

A snapshot is taken from a scratch database in which core and the domain were replayed, so that
nothing made by hand gets into it. Before it is written, it is restored into a second scratch
database, which must have the same catalog and the same rows; if there are rows, a second replay
must insert the same ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ..domains import Domain, get_domain, get_domains
from ..engine.catalog.drift import unmanaged_objects
from ..engine.catalog.fingerprint import (
    DatabaseFingerprint,
    database_fingerprint,
    fingerprint,
    fingerprint_differences,
)
from ..engine.history.tables import ensure_schema
from ..engine.runner.loader import DomainLoader, load_domain
from ..engine.runner.project_state import project_state
from ..engine.runner.results import ErrorInfo, Reporter
from ..engine.sessions.database_errors import first_line
from ..engine.sessions.scratch_databases import scratch_connection
from ..engine.snapshots.live_schema import (
    core_columns,
    has_not_null_names,
    references_to_core,
    restore,
    schema_digest,
    schema_objects,
    sequence_starts,
    tables_with_rows,
)
from ..engine.snapshots.pg_dump import dump_schema, insert_target, is_data, normalise
from ..engine.snapshots.snapshot_file import (
    Snapshot,
    join_statements,
    new_snapshot_file,
    read_normalised,
)
from ..engine.sources.checksum import checksum_on_disk
from ..engine.sources.files import MigrationKey
from ..engine.sources.transfer_halves import halves_in
from ..exceptions import InvalidConfiguration, MigrationFailed
from .core_database import CoreDatabases
from .migrate import replay_migrations

GRANTS = ("privileges ", "default privileges ")
"""How differences begin that a snapshot may have."""


@dataclass(frozen=True, kw_only=True)
class SnapshotResult:
    """A snapshot that was written, or compared with its file.

    Attributes:
        is_changed: whether the content differs from the file before.
        warnings: what the migrations make and the snapshot lacks, a sentence each.
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
        write: write the files; otherwise only compare with them.
        report: called with each result as soon as it is known.

    Raises:
        UnknownDomain: no domain has that name.
        InvalidConfiguration: a domain cannot have a snapshot, or no ``pg_dump`` is installed.
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: the migrations cannot be replayed.
    """
    paths = {get_domain(name): _target_path(get_domain(name)) for name in names}
    alias = database or next(iter(paths)).database
    results = []
    with ExitStack() as stack:
        databases = CoreDatabases(alias, stack, "snapshot_base")
        for domain, path in paths.items():
            core = databases.for_domain(domain.name)
            if core.error is not None:
                raise _not_replayed(core.error)
            builder = SnapshotBuilder(domain, alias, core.name)
            results.append(_write_snapshot(builder, path, write=write))
            report(results[-1])
    return tuple(results)


def _target_path(domain: Domain) -> Path:
    if domain.is_core:
        raise InvalidConfiguration(
            'core has no snapshot: its schema "public" is shared by apps whose migrations come'
            " with other packages, and with anything else in the database.",
            hint="Name a domain; core is always replayed.",
        )
    path = new_snapshot_file(domain)
    if path is None:
        raise InvalidConfiguration(
            f'The domain "{domain.name}" has no migrations, so there is nothing to write.',
            hint=f"Run: manage.py makemigrations {domain.app_labels[0]}",
        )
    return path


def _write_snapshot(builder: SnapshotBuilder, path: Path, *, write: bool) -> SnapshotResult:
    snapshot = builder.run()
    text = snapshot.render().encode()
    before = read_normalised(path) if path.is_file() else b""
    if write and before != text:
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_bytes(text)
        new.replace(path)
    return SnapshotResult(
        domain=builder.domain.name,
        path=path,
        snapshot=snapshot,
        is_changed=before != text,
        warnings=tuple(builder.warnings),
    )


def _migrate(domain: Domain, alias: str, reporter: Reporter) -> None:
    """Replay the migrations, but none that exchanges a table: that is half of what another has."""
    only = _before_exchange(domain)
    error = replay_migrations(domain.name, alias, reporter=reporter, only=only)
    if error is not None:
        raise _not_replayed(error)


def _before_exchange(domain: Domain) -> frozenset[MigrationKey] | None:
    """Return the migrations before the first that exchanges a table, None if none does."""
    halves = [half for label in domain.app_labels for half in halves_in(label)]
    if not halves:
        return None
    graph = DomainLoader(None, domain).graph
    after = {key for half in halves for key in graph.backwards_plan(tuple(half.key))}
    return frozenset(MigrationKey(*key) for key in graph.nodes.keys() - after)


def _not_replayed(error: ErrorInfo) -> MigrationFailed:
    return MigrationFailed(
        f"The migrations cannot be replayed: {error.message}",
        hint="Nothing was written.",
        sqlstate=error.sqlstate,
    )


@dataclass
class RowOrigin(Reporter):
    """A reporter that records which migrations ran, and which first left rows in a table.

    Attributes:
        applied: the migrations, in order.
        first: quoted table → the migration that first left rows in it.
    """

    domain: Domain
    alias: str
    applied: list[MigrationKey] = field(default_factory=list)
    first: dict[str, MigrationKey] = field(default_factory=dict)

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if action == "apply_success" and migration is not None:
            self.applied.append(MigrationKey.of(migration))
            for table in tables_with_rows(connections[self.alias], self.domain):
                self.first.setdefault(table, self.applied[-1])


@dataclass
class SnapshotBuilder:
    """Builds and checks the snapshot of one domain.

    Attributes:
        base: the name of a database with core alone.
    """

    domain: Domain
    alias: str
    base: str
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def origin(self) -> RowOrigin:
        return RowOrigin(self.domain, self.alias)

    def run(self) -> Snapshot:
        with self._scratch() as connection:
            _migrate(self.domain, self.alias, self.origin)
            self.replayed = _fingerprints(connection)
            snapshot = self._read(connection)
        self._check_restores(snapshot)
        rows = [statement for statement in snapshot.statements if is_data(statement)]
        if rows:
            self._check_repeatable(rows)
        return snapshot

    @contextmanager
    def _scratch(self) -> Iterator[BaseDatabaseWrapper]:
        """Copy the base, create the domain's schema in the copy, and redirect every alias to it."""
        purpose = f"snapshot_{self.domain.name[:30]}"
        with scratch_connection(self.alias, purpose, template=self.base) as connection:
            ensure_schema(connection, self.domain.schema)
            yield connection

    def _read(self, connection: BaseDatabaseWrapper) -> Snapshot:
        domain, loader = self.domain, load_domain(connection, self.domain)
        contained = [loader.graph.nodes[key] for key in self.origin.applied]
        self._check_writes(connection, contained)
        return Snapshot(
            domain=domain.name,
            migrations={key: checksum_on_disk(key) for key in self.origin.applied},
            fingerprint=schema_digest(schema_objects(connection, domain)),
            has_not_null_names=has_not_null_names(connection),
            core=core_columns(connection, domain),
            unmanaged=unmanaged_objects(connection, domain, project_state(loader), contained),
            body=join_statements(self._dumped(connection)),
        )

    def _dumped(self, connection: BaseDatabaseWrapper) -> tuple[str, ...]:
        text = dump_schema(connection, self.domain.schema, exclude=self.domain.engine_tables)
        return normalise(text, sequence_starts(connection, self.domain))

    def _check_writes(self, connection: BaseDatabaseWrapper, contained: list[Migration]) -> None:
        """Refuse rows of core, and rows that depend on rows of core in this database."""
        for migration in contained:
            if getattr(migration, "writes_core", False):
                raise self._refused(f"{migration} writes rows of core, which are not in a snapshot")
            if getattr(migration, "alters_database", False):
                raise self._refused(
                    f"{migration} alters objects of the whole database, which are not in a snapshot"
                )
        for table, column, target in references_to_core(connection, self.domain):
            raise self._refused(
                f"{self.origin.first.get(table, 'one of them')} inserts rows into {table} whose"
                f" {column} points at rows of {target}, which may differ in another database"
            )

    def _check_restores(self, snapshot: Snapshot) -> None:
        with self._scratch() as connection:
            try:
                with transaction.atomic(using=self.alias):
                    restore(connection, snapshot.body)
            except Error as exc:
                reason = f"it cannot be restored: {first_line(exc)}"
                raise self._refused(reason) from exc
            # The beginning of those of the tables' sequences too.
            own = tuple(f"privileges {table}" for table in self.domain.engine_tables)
            differences = [
                difference
                for difference in fingerprint_differences(_fingerprints(connection), self.replayed)
                if not difference.replace('"', "").startswith(own)
            ]
            grants = [item for item in differences if item.startswith(GRANTS)]
            others = [item for item in differences if item not in grants]
            if others:
                raise self._refused(f"it would not restore the same objects: {others[0]}")
            if sorted(self._dumped(connection)) != sorted(snapshot.statements):
                raise self._refused("it would not restore the rows, or the order of columns")
        if grants:
            self.warnings.append(
                "A snapshot contains no grants, so these of the migrations will be missing:"
                f" {'; '.join(grants)}. Grant them with grant_domain, or do without a snapshot."
            )

    def _check_repeatable(self, rows: list[str]) -> None:
        """Replay a second time, to refuse rows that depend on the time or on chance."""
        with self._scratch() as connection:
            _migrate(self.domain, self.alias, Reporter())
            again = [statement for statement in self._dumped(connection) if is_data(statement)]
        if again == rows:
            return
        tables = (insert_target(row) for row in {*rows} ^ {*again})
        named = (self.origin.first[table] for table in tables if table in self.origin.first)
        migration = next(named, next(iter(self.origin.first.values()), "one of them"))
        raise self._refused(f"{migration} inserts different rows each time it runs")

    def _refused(self, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(
            f'The domain "{self.domain.name}" cannot have a snapshot of its migrations: {reason}.',
            hint="Nothing was written. The migrations are replayed, which is always correct.",
        )


def _fingerprints(connection: BaseDatabaseWrapper) -> DatabaseFingerprint:
    """Return schema → fingerprint with privileges, of every domain's schema."""
    schemas = {
        domain.schema: fingerprint(
            connection,
            domain.schema,
            exclude=[table.name for table in domain.engine_tables],
            include_privileges=True,
            include_names=True,
        )
        for domain in get_domains()
    }
    return {"": database_fingerprint(connection), **schemas}
