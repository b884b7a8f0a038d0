"""The operations of an attempt to run a migration, checked by the guard and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from django.contrib.contenttypes.management import RenameContentType
from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ..guard.watch import MigrationWatch
from .attempts import Attempt, Progress
from .former_data import left_out
from .kept_transactions import check_transaction
from .migration_log import MigrationLog
from .observed_operations import run_operations
from .package_transactions import commit_open_transaction
from .run_session import RunSession

if TYPE_CHECKING:
    from ..cluster.new_core_tables import NewCoreTables


@dataclass(frozen=True)
class AttemptOperations:
    """Runs the operations of one attempt.

    Attributes:
        log: records the progress of a migration without a transaction.
        watch: the guard over the migration.
        editor: has the SQL that the operations defer.
    """

    session: RunSession
    log: MigrationLog
    attempt: Attempt
    watch: MigrationWatch
    editor: BaseDatabaseSchemaEditor

    def run(self, state: ProjectState) -> ProjectState:
        """Run the operations that are left, and return the state after them."""
        attempt = self.attempt
        if self.session.domain.is_core:
            self._new_core_tables  # noqa: B018 (reads which tables there are before the first)
        return run_operations(
            attempt.migration,
            state,
            self.editor,
            attempt.direction,
            self._observed,
            skip=attempt.checked.finished,
        )

    def run_deferred(self) -> None:
        """Run the deferred SQL as the editor would, and record after each statement what is left.

        Without a transaction, the statements before one that fails stay.
        """
        deferred = self.editor.deferred_sql
        while deferred:
            with self.watch.observe(None):
                self.editor.execute(deferred[0], None)
            del deferred[0]
            self.attempt.executed = self.attempt.checked = self._progress()
            self.log.log_progress(self.attempt, self.attempt.checked)

    @contextmanager
    def _observed(self, operation: Operation) -> Iterator[None]:
        """Let the guard check an operation, which the body runs, and count it.

        Content types, whose renaming Django adds to a plan, are renamed as the login role.
        """
        attempt, connection = self.attempt, self.session.connection
        renames = isinstance(operation, RenameContentType)
        role = self.session.roles.as_login_role() if renames else nullcontext()
        with role, self.watch.observe(operation):
            yield
            if self._new_core_tables is not None:
                self._new_core_tables.distribute()
            self.session.restore_encoding(f"Migration {attempt.migration}")
        for sentence in left_out(self.editor):
            self.session.reporter.on_note(sentence)
        commit_open_transaction(attempt.migration, connection)
        check_transaction(connection, atomic=attempt.migration.atomic)
        done = self._progress(more=0 if renames else 1)
        self._count("executed", done)
        self.watch.after_operation(operation)
        attempt.index.reset()
        if not attempt.migration.atomic:
            self.log.log_progress(attempt, done)
        self._count("checked", done)

    @cached_property
    def _new_core_tables(self) -> NewCoreTables | None:
        """What gives every node of a cluster copies of core's new tables; None elsewhere."""
        on_cluster = self.session.on_cluster if self.session.domain.is_core else None
        if on_cluster is None:
            return None
        from ..cluster.new_core_tables import NewCoreTables, has_core_copies

        is_needed = has_core_copies(on_cluster.cluster)
        return NewCoreTables(self.session.connection) if is_needed else None

    def _progress(self, *, more: int = 0) -> Progress:
        """Return the progress after some more operations, with the SQL that is left to run."""
        atomic, checked = self.attempt.migration.atomic, self.attempt.checked
        deferred = () if atomic else tuple(map(str, self.editor.deferred_sql))
        return Progress(checked.finished + more, deferred, checked.start)

    def _count(self, attribute: str, progress: Progress) -> None:
        """Set the progress: at its commit if the operation has a transaction of its own."""
        connection = self.session.connection
        count = partial(setattr, self.attempt, attribute, progress)
        if connection.in_atomic_block and not self.attempt.in_transaction:
            transaction.on_commit(count, using=connection.alias)
        else:
            count()
