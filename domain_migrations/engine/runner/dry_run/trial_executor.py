"""Running migrations in a transaction that will be rolled back, and reporting what they did."""

from __future__ import annotations

import datetime
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
from ...guard.transaction import LOCK_STRENGTH
from ...history.journal import Direction, Journal, RunContext
from ...sessions.connection import LOCK_NOT_AVAILABLE
from ...sessions.session import RunLock
from ...sessions.timeouts import LockPolicy, RetryPolicy
from ...sources.files import MigrationKey
from ...sql.lexer import Token, statements
from ..executor import DomainExecutor
from ..loader import DomainLoader
from ..options import MigrateOptions
from ..recording import MigrationLog, recorded_keys
from ..reporter import Reporter
from ..results import PlannedMigration

MOST_STATEMENTS = 1000
"""Of one migration: one that changes data row by row can run any number."""

_LOOK = re.compile(r"\s*(?:SELECT|WITH)\b.*\bpg_[a-z_]+", re.IGNORECASE | re.DOTALL)
_SAVEPOINT = re.compile(r"(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")
_MAY_END = re.compile(r"\b(?:commit|rollback|end|abort|prepare)\b", re.IGNORECASE)


class StatementRecorder:
    """Keeps the statements of a migration that will be rolled back.

    Arguments:
        connection: the one that the migration runs on.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._statements: list[str] = []
        self._more = 0

    @contextmanager
    def recording(self, migration: object) -> Iterator[None]:
        """Keep what runs while the body does.

        What Django asks the catalogs, and the savepoints that it makes, are left out. Values
        that a data migration gives to a statement stay placeholders: they may be of rows.

        Raises:
            MigrationFailed: a statement would end the transaction, and what was done would stay.
        """
        self._statements, self._more = [], 0

        def keep(
            execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any
        ) -> Any:
            text = self._text(statement)
            if ends := _ends_transaction(text):
                raise MigrationFailed(
                    f"Migration {migration} cannot be rehearsed: it ends its transaction itself,"
                    f" with {ends}.",
                    hint="Take that out, or set atomic = False; then it is not rehearsed.",
                )
            self._keep(text)
            return execute(statement, params, many, context)

        with self.connection.execute_wrapper(keep):
            yield

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of the latest recording, in order."""
        more = (f"-- and {self._more} more statements",) if self._more else ()
        return (*self._statements, *more)

    def _keep(self, text: str) -> None:
        if _SAVEPOINT.match(text) or _LOOK.match(text):
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
    body = any(_follow(part, "begin", "atomic") for part in parts)  # of a function, with its END
    for part in parts:
        first, rest = part[0], part[1:]
        if first.is_word("commit", "abort") or (first.is_word("end") and not body):
            return first.text.upper()
        if first.is_word("rollback") and not any(token.is_word("to") for token in rest[:2]):
            return "ROLLBACK"
        if _follow(part[:2], "prepare", "transaction"):
            return "PREPARE TRANSACTION"
    return ""


def _follow(part: tuple[Token, ...], first: str, second: str) -> bool:
    return any(one.is_word(first) and two.is_word(second) for one, two in pairwise(part))


FILES = """
SELECT c.oid, c.relfilenode, c.reltuples::bigint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

# A table that another session has written anew, by VACUUM FULL, say, is not locked by this one.
OURS = """
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
"""Up to here rows are counted, which takes less time than the writing has."""


class TableFile(NamedTuple):
    """A table's file, and how many rows the statistics give it: -1 for not known."""

    node: int
    rows: int


FilesByOid = dict[int, TableFile]
"""By the table's oid."""


def files_by_oid(connection: BaseDatabaseWrapper) -> FilesByOid:
    """Return the file of every table and materialized view."""
    with connection.cursor() as cursor:
        cursor.execute(FILES)
        return {oid: TableFile(*rest) for oid, *rest in cursor.fetchall()}


def rewritten(
    connection: BaseDatabaseWrapper, before: FilesByOid, now: FilesByOid
) -> dict[str, int]:
    """Return table → estimated rows, of those that got another file from this transaction."""
    changed = [oid for oid in now if oid in before and now[oid].node != before[oid].node]
    if not changed:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(OURS, [changed])
        found = cursor.fetchall()
        rows = {}
        for oid, name, quoted, size, readable in found:
            if readable and (size <= COUNTED_BYTES or before[oid].rows <= 0):
                rows[name] = _rows(cursor, quoted, count=size <= COUNTED_BYTES)
            else:
                rows[name] = max(before[oid].rows, 0)
    return rows


def _rows(cursor: CursorWrapper, table: str, *, count: bool) -> int:
    """Return how many rows a table has, or how many the planner thinks that it has."""
    if count:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (quoted by the server)
        return int(cursor.fetchone()[0])
    cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {table}")
    (answer,) = cursor.fetchone()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return int(plan[0]["Plan"]["Plan Rows"])


NOTHING_KEPT = "Nothing was kept. Correct the cause and run the command again."

DEFERRABLE_NOW = """
SELECT n.nspname, k.conname FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.condeferrable AND NOT k.condeferred AND has_schema_privilege(n.oid, 'USAGE')
"""


class NullMigrationLog(MigrationLog):
    """Writes nothing, not even what would be rolled back: ids of the tables would be lost.

    The loader is told instead what counts as applied.
    """

    footprint: Footprint = Footprint()

    def log_applied(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        footprint: Footprint,
    ) -> None:
        self.check_session(f"Migration {migration}")
        self.footprint = footprint
        for key in recorded_keys(self.loader, migration):
            if direction == "forwards":
                self.loader.applied_migrations[key] = migration
            else:
                self.loader.applied_migrations.pop(key, None)

    def log_faked(
        self, migration: Migration, direction: Direction, keys: list[MigrationKey] | None = None
    ) -> None:
        """A squashed migration is recorded by the run that applies the last one of it."""

    def log_failure(
        self,
        migration: Migration,
        direction: Direction,
        started: datetime.datetime,
        clock: float,
        failure: DomainMigrationsError,
        left: Mapping[str, Any],
    ) -> None:
        """Nothing has happened."""


class RolledBackExecutor(DomainExecutor):
    """Runs atomic migrations inside a transaction that the caller rolls back.

    Nothing is written to the history and the journal, and nothing is tried again: that would
    keep the locks of the migrations before.

    Arguments:
        lock: of the run, on its own connection.
        loader: loads the domain and core.
        options: the timeouts.
        reporter: told what happens.

    Attributes:
        steps: what each migration did.
    """

    def __init__(
        self, lock: RunLock, loader: DomainLoader, options: MigrateOptions, reporter: Reporter
    ) -> None:
        journal = Journal(lock.connection, loader.domain, RunContext())
        traffic = LockPolicy(
            lock.connection,
            report=reporter.on_note,
            lock_timeout=options.lock_timeout,
            statement_timeout=options.statement_timeout,
        )
        traffic.policy = RetryPolicy(retries=0)
        super().__init__(
            lock.connection,
            loader,
            journal=journal,
            traffic=traffic,
            check_session=lock.assert_same,
        )
        self.unrecorded = NullMigrationLog(self.records.recorder, journal, loader, lock.assert_same)
        self.records = self.unrecorded
        self.recording = StatementRecorder(lock.connection)
        self.steps: list[PlannedMigration] = []
        self.held: dict[str, str] = {}

    def begin(self) -> None:
        """Remember the database as it is when the first migration begins."""
        self.files = files_by_oid(self.connection)
        self.guard.ignore_so_far()

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Run a migration forwards, and note what it did."""
        with self._strip_kept_hint():
            state = super().apply_migration(state, migration)
        self._note(migration, backwards=False, seconds=self.outcome.applied[-1].seconds)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards, and note what it did."""
        with self._strip_kept_hint():
            state = super().unapply_migration(state, migration)
        self._note(migration, backwards=True, seconds=self.outcome.reverted[-1].seconds)
        return state

    def _note(self, migration: Migration, *, backwards: bool, seconds: float) -> None:
        restore_constraint_timing(self.connection)
        before, self.files = self.files, files_by_oid(self.connection)
        self.steps.append(
            PlannedMigration(
                key=MigrationKey.of(migration),
                backwards=backwards,
                operations=describe_operations(migration, backwards=backwards),
                sql=self.recording.statements,
                locks=self._added(self.unrecorded.footprint.locks),
                rewritten=rewritten(self.connection, before, self.files),
                seconds=seconds,
            )
        )

    def _added(self, locks: Mapping[str, str]) -> dict[str, str]:
        """Return the locks that are stronger than what earlier migrations took."""
        added = {
            relation: mode
            for relation, mode in locks.items()
            if LOCK_STRENGTH[mode] > LOCK_STRENGTH.get(self.held.get(relation, ""), -1)
        }
        self.held.update(added)
        return added

    @contextmanager
    def _as_domain_role(self, migration: Migration) -> Iterator[None]:
        with super()._as_domain_role(migration), self.recording.recording(migration):
            yield

    @contextmanager
    def _strip_kept_hint(self) -> Iterator[None]:
        """Take out of a failure what it says of migrations that were kept."""
        try:
            yield
        except DomainMigrationsError as exc:
            if exc.__cause__ is None:  # A refusal, whose hint is about the file.
                raise
            message = exc.message
            if exc.sqlstate == LOCK_NOT_AVAILABLE:
                message = f"{message.rstrip('.')}{self.traffic.blocker_clause()}."
            raise type(exc)(message, hint=NOTHING_KEPT, sqlstate=exc.sqlstate) from exc


def describe_operations(migration: Migration, *, backwards: bool) -> tuple[str, ...]:
    """Return a migration's operations as ``migrate --plan`` of Django tells them."""
    return tuple(
        Command.describe_operation(operation, backwards)[0] for operation in migration.operations
    )


def restore_constraint_timing(connection: BaseDatabaseWrapper) -> None:
    """Let constraints be deferred, or not, as they are at the start of a transaction.

    A migration's deferred constraints are forced at its end. PostgreSQL then checks all of them
    at once until the end of the transaction, which in a real run is the end of the migration.
    """
    with connection.cursor() as cursor:
        cursor.execute(DEFERRABLE_NOW)
        at_once = sql.SQL(", ").join(sql.Identifier(*row) for row in cursor.fetchall())
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        if at_once.as_string(connection.connection):
            cursor.execute(sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(at_once))


@contextmanager
def rolled_back(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Roll back all that the body does, whether it succeeds or not."""
    with transaction.atomic(using=connection.alias):
        try:
            yield
        finally:
            if connection.in_atomic_block:
                transaction.set_rollback(True, using=connection.alias)
