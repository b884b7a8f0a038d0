"""The restore of a domain's snapshot instead of the migrations that it contains.

A snapshot runs like one migration: in a transaction with timeouts, retries, the boundary guard
and the domain's role, and with its rows in the history and the journal. Where it cannot be
used, the migrations are replayed, which is always correct, but slower.
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
from ..messages import counted
from ..sessions.connection import schema_exists
from ..snapshots.drift_reference import may_rename
from ..snapshots.live_schema import (
    column_types,
    has_not_null_names,
    restore,
    schema_digest,
    schema_objects,
)
from ..snapshots.snapshot_file import (
    FILE_NAME,
    Snapshot,
    SnapshotUnreadable,
    display_path,
    read_snapshot,
    snapshot_file,
    stale_error,
    stale_reasons,
)
from ..sources.files import MigrationKey
from ..sources.transfer_halves import half_of
from .executor import DomainExecutor
from .loader import Plan
from .project_state import project_state
from .run_session import RunSession

UNSUPPORTED = ("42", "0A")
"""Classes of SQLSTATE for statements that the server does not understand or support.

A replay may avoid them; it would not help against a full disk, a lock or a lost connection.
"""
WITHOUT_NAMES = (
    "it lacks the names of NOT NULL constraints, which PostgreSQL 18 has and its migrations may"
    " have chosen"
)


class RestoreSnapshot(Operation):
    """Creates the schema and the project state that the contained migrations create."""

    reversible = False

    def __init__(self, migration: SnapshotMigration) -> None:
        self.migration = migration

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for migration in self.migration.contained:
            migration.mutate_state(state, preserve=False)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        connection, domain = schema_editor.connection, self.migration.domain
        is_distributed = self.migration.is_distributed
        restore(connection, self.migration.snapshot.body, distributed=is_distributed)
        found = schema_objects(connection, domain, prepared=True)
        if schema_digest(found) != self.migration.snapshot.fingerprint:
            reason = "the restored schema does not match the fingerprint in the file"
            raise stale_error(domain, self.migration.path, [reason])

    def describe(self) -> str:
        return f"Restore {FILE_NAME}"


class SnapshotMigration(Migration):
    """A snapshot as a migration.

    Attributes:
        contained: the migrations that are applied when it has run.
        checksums: by migration.
        is_distributed: whether the domain's schema is distributed.
    """

    is_distributed = False

    def __init__(
        self, domain: Domain, path: Path, snapshot: Snapshot, contained: Sequence[Migration]
    ) -> None:
        super().__init__(FILE_NAME, contained[-1].app_label)
        self.domain, self.path, self.snapshot = domain, path, snapshot
        self.contained = tuple(contained)
        self.checksums = snapshot.migrations
        vars(self)["operations"] = [RestoreSnapshot(self)]

    def __str__(self) -> str:
        return f"{FILE_NAME} ({counted(len(self.contained), 'migration')} to {self.contained[-1]})"


def choose_snapshot(executor: DomainExecutor, plan: Plan) -> SnapshotMigration | None:
    """Return the domain's snapshot, if the schema is empty and the plan applies all it contains.

    A warning is reported for a snapshot that does not match its migrations.

    Raises:
        StaleSnapshot: it does not match, and the options are strict.
    """
    session, loader = executor.session, executor.loader
    domain, connection, options = session.domain, session.connection, session.options
    forwards = {MigrationKey.of(migration) for migration, backwards in plan if not backwards}
    wanted = get_settings().snapshots and not (options.replay or options.fake or domain.is_core)
    if not wanted or not forwards or executor.interruption is not None:
        return None
    path = snapshot_file(domain)
    if path is None or not _is_empty(executor):
        return None
    try:
        snapshot = read_snapshot(path)
    except SnapshotUnreadable as exc:
        reasons = [str(exc)]
    else:
        reasons = list(stale_reasons(snapshot, domain, loader.graph))
        reasons += _changed_in_core(connection, snapshot)
    contained = [] if reasons else [loader.graph.nodes[key] for key in snapshot.migrations]
    if contained and _lacks_names(connection, snapshot, contained):
        reasons = [WITHOUT_NAMES]
    if reasons:
        _warn_unused(session, stale_error(domain, path, reasons))
        return None
    if not forwards.issuperset(snapshot.migrations):
        return None  # The target is a migration inside of it.
    if any(half_of(key) is not None for key in snapshot.migrations):
        return None  # The other domain's part of a transfer has to be run.
    return SnapshotMigration(domain, path, snapshot, contained)


def _is_empty(executor: DomainExecutor) -> bool:
    connection, labels = executor.connection, executor.domain.app_labels
    if any(key[0] in labels for key in executor.loader.applied_migrations):
        return False
    if not schema_exists(connection, executor.domain.schema):
        return True
    return not schema_objects(connection, executor.domain, prepared=True)


def _lacks_names(
    connection: BaseDatabaseWrapper, snapshot: Snapshot, contained: Sequence[Migration]
) -> bool:
    if snapshot.has_not_null_names or not has_not_null_names(connection):
        return False
    return may_rename(contained)


def _changed_in_core(connection: BaseDatabaseWrapper, snapshot: Snapshot) -> list[str]:
    """Describe the referenced columns of core that have changed since the snapshot."""
    live = column_types(connection, snapshot.core)
    return [
        f"{column} is {live[column]} now, and was {kind}" if column in live else f"{column} is gone"
        for column, kind in snapshot.core.items()
        if live.get(column) != kind
    ]


def _warn_unused(session: RunSession, problem: DomainMigrationsError) -> None:
    if session.options.strict:
        raise problem
    session.reporter.on_warning(
        f"Warning: {problem.message} It is not used; the migrations are replayed. {problem.hint}"
    )


def _unsupported_error(chosen: SnapshotMigration, exc: MigrationFailed) -> StaleSnapshot:
    """Return the error for statements that this server does not support; others may."""
    error = StaleSnapshot(
        f'The snapshot of the domain "{chosen.domain.name}" cannot be restored on this server:'
        f" {exc.message.rstrip('.')} ({display_path(chosen.path)}).",
        hint="To write one on a server like this, run: manage.py snapshot_domain"
        f" {chosen.domain.name}",
        sqlstate=exc.sqlstate,
    )
    error.__cause__ = exc
    return error


def restore_snapshot(
    executor: DomainExecutor,
    chosen: SnapshotMigration | None,
    plan: Plan,
    state: ProjectState,
) -> tuple[Plan, ProjectState]:
    """Restore the chosen snapshot; return the rest of the plan, and the state before it.

    Raises:
        StaleSnapshot: the restored schema is not the expected one, or this server does not
            support the statements, and the options are strict.
        DomainMigrationsError: the restore failed for other reasons, as a migration may.
    """
    if chosen is None:
        return plan, state
    # A state without rendered models: those that pre_migrate rendered would be updated each time.
    state = project_state(executor.loader)
    chosen.is_distributed = executor.session.is_distributed
    try:
        state = executor.apply_migration(state, chosen)
    except StaleSnapshot as exc:
        problem = exc
    except MigrationFailed as exc:
        if not (exc.sqlstate or "").startswith(UNSUPPORTED):
            raise
        problem = _unsupported_error(chosen, exc)
    else:
        done = {MigrationKey.of(migration) for migration in chosen.contained}
        return [step for step in plan if MigrationKey.of(step[0]) not in done], state
    _warn_unused(executor.session, problem)
    return plan, project_state(executor.loader)
