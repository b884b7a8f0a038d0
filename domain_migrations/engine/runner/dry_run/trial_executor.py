"""The executor of dry runs: migrations run in a transaction, recorded and rolled back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

from django.core.management.commands.migrate import Command
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from psycopg import sql

from ....exceptions import DomainMigrationsError, MigrationFailed
from ...guard.guard import Footprint
from ...guard.held_locks import LOCK_STRENGTH
from ...history.journal import Direction
from ...sessions.connection import LOCK_NOT_AVAILABLE
from ...sessions.timeouts import RetryPolicy
from ...sources.files import MigrationKey
from ...sql.lexer import Token, statements
from ..executor import DomainExecutor
from ..failures import Attempt
from ..loader import DomainLoader, Plan
from ..migration_log import recorded_keys
from ..results import PlannedMigration
from ..run_session import RunSession

MOST_STATEMENTS = 1000
"""Recorded of one migration; one that changes data row by row can run any number."""

_CATALOG_QUERY = re.compile(r"\s*(?:SELECT|WITH)\b.*\bpg_[a-z_]+", re.IGNORECASE | re.DOTALL)
_SAVEPOINT = re.compile(r"(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")
_MAY_END = re.compile(r"\b(?:commit|rollback|end|abort|prepare)\b", re.IGNORECASE)


class StatementRecorder:
    """Records the statements of a migration that will be rolled back.

    Arguments:
        connection: runs the migration.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._statements: list[str] = []
        self._more = 0

    @contextmanager
    def recording(self, migration: Migration) -> Iterator[None]:
        """Record the statements that run in the body.

        Django's catalog queries and savepoints are left out. Parameters stay placeholders,
        because they may contain data of rows.

        Raises:
            MigrationFailed: a statement would end the transaction, so that changes would stay.
        """
        self._statements, self._more = [], 0

        def record(
            execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any
        ) -> Any:
            text = self._text(statement)
            if ends := _ends_transaction(text):
                raise MigrationFailed(
                    f"Migration {migration} cannot be rehearsed: it ends its transaction itself,"
                    f" with {ends}.",
                    hint="Remove that statement, or set atomic = False, which excludes the"
                    " migration from dry runs.",
                )
            self._record(text)
            return execute(statement, params, many, context)

        with self.connection.execute_wrapper(record):
            yield

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of the latest recording, in order."""
        more = (f"-- and {self._more} more statements",) if self._more else ()
        return (*self._statements, *more)

    def _record(self, text: str) -> None:
        if _SAVEPOINT.match(text) or _CATALOG_QUERY.match(text):
            return
        if len(self._statements) < MOST_STATEMENTS:
            text = text.strip()
            self._statements.append(text if text.endswith(";") else f"{text};")
        else:
            self._more += 1

    def _text(self, statement: Any) -> str:
        if isinstance(statement, sql.Composable):
            return statement.as_string(self.connection.connection)
        return str(statement)


def _ends_transaction(text: str) -> str:
    """Return the word that would end the transaction; empty if there is none."""
    if not _MAY_END.search(text):
        return ""
    parts = [part.tokens for part in statements(text, procedural=False)]
    body = any(
        _has_pair(part, "begin", "atomic") for part in parts
    )  # the body of a function, with its END
    for part in parts:
        first, rest = part[0], part[1:]
        if first.is_word("commit", "abort") or (first.is_word("end") and not body):
            return first.text.upper()
        if first.is_word("rollback") and not any(token.is_word("to") for token in rest[:2]):
            return "ROLLBACK"
        if _has_pair(part[:2], "prepare", "transaction"):
            return "PREPARE TRANSACTION"
    return ""


def _has_pair(part: tuple[Token, ...], first: str, second: str) -> bool:
    return any(one.is_word(first) and two.is_word(second) for one, two in pairwise(part))


FILES = """
SELECT c.oid, c.relfilenode, c.reltuples::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

# A table that another session has rewritten, by VACUUM FULL for example, is not locked here.
REWRITTEN = """
SELECT c.oid, format('%%s.%%s', n.nspname, c.relname), format('%%I.%%I', n.nspname, c.relname),
    pg_relation_size(c.oid), has_table_privilege(c.oid, 'SELECT') AND c.relispopulated
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.oid = ANY(%s::oid[])
ORDER BY 2
"""

COUNTED_BYTES = 32 * 1024 * 1024
"""Up to this size rows are counted, which takes less time than the rewrite took."""


class TableFile(NamedTuple):
    """A table's file, and its number of rows in the statistics, -1 if unknown."""

    node: int
    rows: int


FilesByOid = dict[int, TableFile]
"""The table's oid → its file."""


def files_by_oid(connection: BaseDatabaseWrapper) -> FilesByOid:
    """Return the file of every table and materialized view."""
    with connection.cursor() as cursor:
        cursor.execute(FILES)
        return {oid: TableFile(*rest) for oid, *rest in cursor.fetchall()}


def rewritten(
    connection: BaseDatabaseWrapper, before: FilesByOid, now: FilesByOid
) -> dict[str, int]:
    """Return table → estimated rows, for the tables that this transaction has rewritten."""
    changed = [oid for oid in now if oid in before and now[oid].node != before[oid].node]
    if not changed:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(REWRITTEN, [changed])
        found = cursor.fetchall()
        rows = {}
        for oid, name, quoted, size, readable in found:
            if readable and (size <= COUNTED_BYTES or before[oid].rows <= 0):
                rows[name] = _rows(cursor, quoted, count=size <= COUNTED_BYTES)
            else:
                rows[name] = max(before[oid].rows, 0)
    return rows


def _rows(cursor: CursorWrapper, table: str, *, count: bool) -> int:
    """Return the number of rows of a table, counted or as the planner estimates it."""
    if count:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (quoted by the server)
        return int(cursor.fetchone()[0])
    cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {table}")
    (answer,) = cursor.fetchone()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return int(plan[0]["Plan"]["Plan Rows"])


NOTHING_KEPT = "It was rolled back. Correct the cause and run the command again."

DEFERRABLE_NOW = """
SELECT n.nspname, k.conname FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.condeferrable AND NOT k.condeferred AND has_schema_privilege(n.oid, 'USAGE')
"""


class TrialLog:
    """A migration log that writes nothing, not even what would be rolled back.

    A row would use up an id of its table for good. The loader gets the migrations that count as
    applied instead.

    Attributes:
        footprint: of the latest migration.
    """

    def __init__(self, session: RunSession, loader: DomainLoader) -> None:
        self.session = session
        self.loader = loader
        self.footprint: Footprint = {}

    def log_applied(self, attempt: Attempt, footprint: Footprint) -> None:
        """Keep the footprint, and let the loader know what is applied now."""
        self.session.check(f"Migration {attempt.migration}")
        self.footprint = footprint
        for key in recorded_keys(self.loader, attempt.migration):
            if attempt.backwards:
                self.loader.applied_migrations.pop(key, None)
            else:
                self.loader.applied_migrations[key] = attempt.migration

    def log_faked(self, migration: Migration, direction: Direction) -> None:
        """Do nothing: a dry run fakes no migration."""

    def log_squash(self, migration: Migration) -> None:
        """Do nothing: the run that applies the last replaced migration records the squash."""

    def log_progress(self, attempt: Attempt) -> None:
        """Do nothing: a dry run skips migrations without a transaction."""

    def log_failure(self, attempt: Attempt, failure: DomainMigrationsError) -> None:
        """Do nothing: the failure is rolled back with the dry run."""


class TrialExecutor:
    """Runs atomic migrations inside a transaction that the caller rolls back.

    It wraps a :class:`DomainExecutor` that writes to no history or journal, and that does not
    retry: the locks of the migrations before would be held during the pause.

    Arguments:
        session: of the run; its domain is the loader's.
        loader: has loaded the domain and core.

    Attributes:
        executor: runs the migrations.
        steps: the effects of each migration.
    """

    def __init__(self, session: RunSession, loader: DomainLoader) -> None:
        self.connection = session.connection
        self.loader = loader
        self.log = TrialLog(session, loader)
        self.recorder = StatementRecorder(session.connection)
        self.executor = DomainExecutor(
            session,
            loader,
            log=self.log,
            retries=RetryPolicy(retries=0),
            observe=self.recorder.recording,
            progress=self._on_progress,
        )
        self.steps: list[PlannedMigration] = []
        self._held: dict[str, str] = {}
        self._files: FilesByOid = {}

    def begin(self) -> None:
        """Remember the state of the database before the first migration."""
        self._files = files_by_oid(self.connection)
        self.executor.guard.ignore_so_far()

    def apply(self, state: ProjectState, migration: Migration) -> ProjectState:
        """Run a migration forwards, and add a step with its effects."""
        with self._without_kept_hint():
            return self.executor.apply_migration(state, migration)

    def revert(self, state: ProjectState, migration: Migration) -> ProjectState:
        """Run a migration backwards, and add a step with its effects."""
        with self._without_kept_hint():
            return self.executor.unapply_migration(state, migration)

    def revert_plan(self, plan: Plan, state: ProjectState) -> None:
        """Run a plan backwards, and add a step for each migration."""
        with self._without_kept_hint():
            self.executor.migrate([], plan=plan, state=state)

    def _on_progress(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Add the step of a migration that has run, outside of its transaction and role."""
        progress = self.executor.progress
        if migration is not None and action == "apply_success":
            self._add_step(migration, backwards=False, seconds=progress.applied[-1].seconds)
        elif migration is not None and action == "unapply_success":
            self._add_step(migration, backwards=True, seconds=progress.reverted[-1].seconds)

    def _add_step(self, migration: Migration, *, backwards: bool, seconds: float) -> None:
        restore_constraint_timing(self.connection)
        before, self._files = self._files, files_by_oid(self.connection)
        self.steps.append(
            PlannedMigration(
                key=MigrationKey.of(migration),
                backwards=backwards,
                operations=describe_operations(migration, backwards=backwards),
                sql=self.recorder.statements,
                locks=self._new_locks(self.log.footprint),
                rewritten=rewritten(self.connection, before, self._files),
                seconds=seconds,
            )
        )

    def _new_locks(self, locks: Mapping[str, str]) -> dict[str, str]:
        """Return the locks that are stronger than those that earlier migrations took."""
        new = {
            relation: mode
            for relation, mode in locks.items()
            if LOCK_STRENGTH[mode] > LOCK_STRENGTH.get(self._held.get(relation, ""), -1)
        }
        self._held.update(new)
        return new

    @contextmanager
    def _without_kept_hint(self) -> Iterator[None]:
        """Replace the hint of a failure, which names migrations that were kept."""
        try:
            yield
        except DomainMigrationsError as exc:
            if exc.__cause__ is None:  # A refusal, with a hint about the file.
                raise
            message = exc.message
            if exc.sqlstate == LOCK_NOT_AVAILABLE:
                blockers = self.executor.timeout_policy.blocker_clause()
                message = f"{message.rstrip('.')}{blockers}."
            raise type(exc)(message, hint=NOTHING_KEPT, sqlstate=exc.sqlstate) from exc


def describe_operations(migration: Migration, *, backwards: bool) -> tuple[str, ...]:
    """Return descriptions of the operations, as Django's ``migrate --plan`` prints them."""
    return tuple(
        Command.describe_operation(operation, backwards)[0] for operation in migration.operations
    )


def restore_constraint_timing(connection: BaseDatabaseWrapper) -> None:
    """Reset constraints to deferred or immediate, as at the start of a transaction.

    A migration's deferred constraints are checked at its end. After that PostgreSQL treats all of
    them as immediate until the transaction ends, which in a real run is where the migration ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(DEFERRABLE_NOW)
        immediate = sql.SQL(", ").join(sql.Identifier(*row) for row in cursor.fetchall())
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        if immediate.as_string(connection.connection):
            cursor.execute(sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(immediate))


@contextmanager
def rolled_back(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Roll back everything that the body does, whether it succeeds or not."""
    with transaction.atomic(using=connection.alias):
        try:
            yield
        finally:
            if connection.in_atomic_block:
                transaction.set_rollback(True, using=connection.alias)
