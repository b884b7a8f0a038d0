"""Restoring a domain's snapshot in place of the migrations that it contains.

A snapshot runs as one migration does: in one transaction with its timeouts, its retries, the
footprint guard and the domain's role, and its rows in the history and the journal. Where it
cannot be used, the migrations are replayed; that is always right, only slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ...conf import get_settings
from ...domains import Domain
from ...exceptions import DomainMigrationsError, MigrationFailed, StaleSnapshot
from ..snapshots.live_schema import (
    column_types,
    restore,
    schema_digest,
    schema_exists,
    schema_objects,
)
from ..snapshots.snapshot_file import (
    FILE_NAME,
    Snapshot,
    SnapshotUnreadable,
    read_snapshot,
    snapshot_file,
    stale_error,
    stale_reasons,
)
from ..sources.files import MigrationKey
from .executor import DomainExecutor
from .options import MigrateOptions
from .plan import Plan
from .project_state import applied_project_state
from .reporter import Reporter

NOT_TAKEN = ("42", "0A")
"""Classes of SQLSTATE for statements that the server does not understand, know or support.

A replay may do without them; it would not help against a full disk, a lock or a lost connection.
"""


class RestoreSnapshot(Operation):
    """Makes the schema that the contained migrations make, and takes over their state."""

    reversible = False

    def __init__(
        self, domain: Domain, path: Path, snapshot: Snapshot, contained: Sequence[Migration]
    ) -> None:
        self.domain = domain
        self.path = path
        self.snapshot = snapshot
        self.contained = contained

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for migration in self.contained:
            migration.mutate_state(state, preserve=False)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        connection = schema_editor.connection
        restore(connection, self.snapshot.body)
        found = schema_objects(connection, self.domain, prepared=True)
        if schema_digest(found) != self.snapshot.fingerprint:
            reason = "what it restores has not the fingerprint that it had when it was taken"
            raise stale_error(self.domain, self.path, [reason])

    def describe(self) -> str:
        return f"Restore {FILE_NAME}"


class SnapshotMigration(Migration):
    """A snapshot as a migration.

    Attributes:
        contained: the migrations that count as applied when it has run.
        checksums: of each of them.
    """

    def __init__(
        self, domain: Domain, path: Path, snapshot: Snapshot, contained: Sequence[Migration]
    ) -> None:
        super().__init__(FILE_NAME, contained[-1].app_label)
        self.contained = tuple(contained)
        self.checksums = snapshot.migrations
        self.domain, self.path = domain, path
        vars(self)["operations"] = [RestoreSnapshot(domain, path, snapshot, self.contained)]

    def __str__(self) -> str:
        return f"{FILE_NAME} ({len(self.contained)} migrations to {self.contained[-1]})"


def choose_snapshot(
    executor: DomainExecutor, plan: Plan, options: MigrateOptions, reporter: Reporter
) -> SnapshotMigration | None:
    """Return the domain's snapshot, if the plan begins on an empty schema with all it contains.

    A snapshot that would be used and does not match its migrations is told of.

    Raises:
        SnapshotStale: it does not match, and the options are strict.
    """
    domain, connection, loader = executor.domain, executor.connection, executor.loader
    forwards = {MigrationKey.of(migration) for migration, backwards in plan if not backwards}
    wanted = get_settings().snapshots and not (options.replay or options.fake or domain.is_core)
    if not wanted or not forwards or executor.interruption is not None:
        return None
    path = snapshot_file(domain)
    if path is None or not _is_empty(connection, executor):
        return None
    try:
        snapshot = read_snapshot(path)
    except SnapshotUnreadable as exc:
        _unused(stale_error(domain, path, [str(exc)]), options, reporter)
        return None
    reasons = list(stale_reasons(snapshot, domain, loader.graph))
    reasons += _changed_in_core(connection, snapshot)
    if not reasons and not forwards.issuperset(snapshot.migrations):
        return None  # The target comes before its end.
    if reasons:
        _unused(stale_error(domain, path, reasons), options, reporter)
        return None
    contained = [loader.graph.nodes[key] for key in snapshot.migrations]
    return SnapshotMigration(domain, path, snapshot, contained)


def _is_empty(connection: BaseDatabaseWrapper, executor: DomainExecutor) -> bool:
    labels = executor.domain.app_labels
    if any(key[0] in labels for key in executor.loader.applied_migrations):
        return False
    if not schema_exists(connection, executor.domain.schema):
        return True
    return not schema_objects(connection, executor.domain, prepared=True)


def _changed_in_core(connection: BaseDatabaseWrapper, snapshot: Snapshot) -> list[str]:
    """Name the columns of core that a replay would point other foreign keys at."""
    live = column_types(connection, snapshot.core)
    return [
        f"{column} is {live[column]} now, and was {kind}" if column in live else f"{column} is gone"
        for column, kind in snapshot.core.items()
        if live.get(column) != kind
    ]


def _unused(problem: DomainMigrationsError, options: MigrateOptions, reporter: Reporter) -> None:
    if options.strict:
        raise problem
    reporter.warning(
        f"Warning: {problem.message} It is not used; the migrations are replayed. {problem.hint}"
    )


def restore_snapshot(
    executor: DomainExecutor,
    chosen: SnapshotMigration | None,
    plan: Plan,
    state: ProjectState,
    options: MigrateOptions,
    reporter: Reporter,
) -> tuple[Plan, ProjectState]:
    """Restore the chosen snapshot; return what of the plan is left, and the state before it.

    Raises:
        SnapshotStale: it restores something else than it should, or this server does not take
            its statements, and the options are strict.
        DomainMigrationsError: what a migration raises, for other reasons.
    """
    if chosen is None:
        return plan, state
    # With models of the state rendered, as pre_migrate has left it, each change renders them again.
    state = applied_project_state(executor.loader)
    try:
        state = executor.apply_migration(state, chosen)
    except (MigrationFailed, StaleSnapshot) as exc:
        problem: DomainMigrationsError = exc
        if not isinstance(exc, StaleSnapshot):
            if not (exc.sqlstate or "").startswith(NOT_TAKEN):
                raise
            problem = stale_error(chosen.domain, chosen.path, [exc.message.rstrip(".")])
            problem.__cause__ = exc
        _unused(problem, options, reporter)
        return plan, applied_project_state(executor.loader)
    done = {MigrationKey.of(migration) for migration in chosen.contained}
    return [step for step in plan if MigrationKey.of(step[0]) not in done], state
