"""A run's session on a cluster: what its statements and transactions need there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString

import psycopg
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain, QualifiedName
from ..sessions.concurrent_indexes import is_concurrent
from ..sessions.connection import can_query, fetch_all, is_alone, session_settings
from ..sessions.database_errors import NOT_IN_TRANSACTION, sqlstate_of
from ..sql.query import run_sql
from ..sql.words import Words
from .chosen_names import TakenNames
from .cluster import Cluster
from .node_locks import (
    CHECK_AND_READ,
    ONE_TABLE_OF_EACH_NODE,
    READ,
    RUN_ON_NODE,
    NodeLock,
    locks_in,
)
from .refusals import form_that_works
from .statements import in_citus_form
from .transaction_settings import SETTINGS, limits_forwarded
from .worker_errors import NodeWarning, explained

SET_CONSTRAINTS = re.compile(r"\s*SET\s+CONSTRAINTS\s", re.IGNORECASE)
CHANGES_NO_ROWS = re.compile(
    r"\s*(?:ALTER|CREATE|DROP|COMMENT|GRANT|REVOKE|SET|RESET|SHOW|SAVEPOINT|RELEASE|ROLLBACK)\b"
    r"|\s*(?:SELECT|WITH)\b.*\bpg_[a-z_]+",
    re.IGNORECASE | re.DOTALL,
)

TAKEN_NAMES: LiteralString = """
SELECT ARRAY(SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid),
    ARRAY(SELECT k.conname::text FROM pg_catalog.pg_constraint k WHERE k.connamespace = n.oid),
    ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
        WHERE t.relnamespace = n.oid AND t.relname = %(table)s AND a.attnum > 0)
FROM pg_catalog.pg_namespace n WHERE n.nspname = %(schema)s
"""

SHARDS = "SELECT s.shardid FROM pg_catalog.pg_dist_shard s WHERE s.shardid = ANY(%s)"

# A shard's constraint has the number of the shard at the end of its name.
SET_NAMED: LiteralString = """DO $set$
DECLARE name text;
BEGIN
    FOR name IN
        SELECT format('%I.%I', n.nspname, k.conname)
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
        WHERE k.condeferrable AND n.nspname = {schema}
          AND regexp_replace(k.conname, '_\\d+$', '') = ANY ({names})
    LOOP
        EXECUTE 'SET CONSTRAINTS ' || name || {mode};
    END LOOP;
END $set$"""

RESET_TIMING: LiteralString = """DO $set$
DECLARE name text;
BEGIN
    SET CONSTRAINTS ALL DEFERRED;
    FOR name IN
        SELECT format('%I.%I', n.nspname, k.conname)
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
        WHERE k.condeferrable AND NOT k.condeferred
          AND has_schema_privilege(n.oid, 'USAGE')
    LOOP
        EXECUTE 'SET CONSTRAINTS ' || name || ' IMMEDIATE';
    END LOOP;
END $set$"""


class ClusterSession:
    """The connection of a run to the coordinator of a cluster.

    Attributes:
        warnings: what the server has sent since the transaction began.
        has_written: whether rows may have been written since constraints were last checked.
        has_unread: whether rows may have been written since locks were last read.
        has_timed: whether constraints on the nodes are not deferred or immediate as they were made.
    """

    def __init__(self, connection: BaseDatabaseWrapper, cluster: Cluster, domain: Domain) -> None:
        self.connection = connection
        self.cluster = cluster
        self.domain = domain
        self.warnings: list[NodeWarning] = []
        self.has_written = self.has_unread = self.has_timed = False
        self._waiting: list[str] = []

    @contextmanager
    def transaction(self, refuse: Callable[[str], None]) -> Iterator[None]:
        """Run a migration in the open transaction, whose policy has joined the cluster.

        Arguments:
            refuse: called with each text before it is sent, raises if it may not be.
        """
        self.has_written = self.has_unread = False
        self._waiting.clear()
        with self._heard(), self._in_citus_form(refuse):
            yield

    @contextmanager
    def without_transaction(self, refuse: Callable[[str], None]) -> Iterator[None]:
        """Run a migration without a transaction.

        What the server runs in a transaction gets one, because the limits of a session hold on the
        coordinator alone.
        """
        with (
            session_settings(self.connection, SETTINGS),
            limits_forwarded(self.connection),
            self._heard(),
            self._in_citus_form(refuse),
        ):
            yield

    def read_locks(self, *, everywhere: bool, check: bool) -> tuple[list[NodeLock], frozenset[int]]:
        """Return the transaction's locks on the nodes, and the tables that were used to ask them.

        Arguments:
            everywhere: ask every node that has tables of a domain, not the domain's alone.
            check: check before what is deferred there, if rows may have been written.
        """
        check = check and self.has_written
        command = CHECK_AND_READ if check else READ
        answers, tables = self._run_on_nodes(command, everywhere=everywhere)
        if check:
            self.has_written, self.has_timed = False, True
        self.has_unread = False
        return [lock for answer in answers for lock in locks_in(answer)], tables

    def reset_constraints(self) -> None:
        """Let the constraints on the nodes be deferred as at the start of a transaction."""
        if self.has_timed:
            self._run_on_nodes(RESET_TIMING, everywhere=True)
            self.has_timed = False

    def explained(self, exc: BaseException) -> BaseException:
        """Return an error that says what a node has refused; see ``worker_errors``."""
        return explained(exc, self.warnings, self._find_shards)

    def advice(self, exc: BaseException) -> str:
        """Return what to do after an error, empty if Citus has nothing to do with it."""
        return form_that_works(f"{exc}\n{exc.__cause__ or ''}")

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Keep the warnings that the server sends in the block."""
        raw: psycopg.Connection[Any] = self.connection.connection
        self.warnings.clear()
        raw.add_notice_handler(self._hear)
        try:
            yield
        finally:
            raw.remove_notice_handler(self._hear)

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized in ("WARNING", "ERROR"):
            values = notice.sqlstate, notice.message_primary, notice.context
            self.warnings.append(NodeWarning(*(value or "" for value in values)))

    @contextmanager
    def _in_citus_form(self, refuse: Callable[[str], None]) -> Iterator[None]:
        """Send the statements that go through Django's cursors as Citus takes them."""

        def run(
            execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any
        ) -> Any:
            text = statement
            if isinstance(statement, sql.Composable):
                text = statement.as_string(self.connection.connection)
            refuse(str(text))
            parts = [str(text)]
            if not params and not many:
                is_split = self.connection.in_atomic_block
                parts = in_citus_form(str(text), self._read_names, split=is_split)
            if parts == [text]:
                parts = [statement]
            result = None
            for part in parts:
                shown = str(text) if part is statement else part
                changes_rows = not CHANGES_NO_ROWS.match(shown)
                if changes_rows:
                    self._send_waiting()
                send = partial(execute, part, params, many, context)
                result = self._in_transaction(shown, send)
                self.has_written = self.has_written or changes_rows
                self.has_unread = self.has_unread or changes_rows
                if SET_CONSTRAINTS.match(shown):
                    self._forward_timing(shown)
            return result

        with self.connection.execute_wrapper(run):
            yield

    def _in_transaction(self, text: str, send: Callable[[], Any]) -> Any:
        """Send a statement, in a transaction of its own if it would run in none."""
        owners = (getattr(wrap, "__self__", None) for wrap in self.connection.execute_wrappers)
        is_begun = any(getattr(owner, "begins_transactions", False) for owner in owners)
        if is_begun or not is_alone(self.connection) or is_concurrent(text):
            return send()
        try:
            with transaction.atomic(using=self.connection.alias):
                return send()
        except DatabaseError as exc:
            if sqlstate_of(exc) not in NOT_IN_TRANSACTION:
                raise
        return send()

    def _forward_timing(self, text: str) -> None:
        """Set the constraints on the nodes, too, that a statement has set on the coordinator.

        Before rows are written it makes no difference there.
        """
        self._waiting += self._timing_commands(text)
        if self.has_written:
            self._send_waiting()

    def _send_waiting(self) -> None:
        for command in self._waiting:
            self._run_on_nodes(command)
            self.has_timed = True
        self._waiting.clear()

    def _timing_commands(self, text: str) -> Iterator[str]:
        """Yield the statements for the node's shards that one for the coordinator stands for."""
        words = Words.of(text)
        words.take("set", "constraints")
        if words.take("all"):
            yield text.strip().rstrip(";")
            return
        names = list(words.names())
        mode = f" {words.text()}"
        for schema in sorted({name.schema for name in names}):
            chosen = [name.name for name in names if name.schema == schema]
            command = sql.SQL(SET_NAMED).format(schema=schema, names=chosen, mode=mode)
            yield command.as_string(self.connection.connection)

    def _run_on_nodes(
        self, command: str, *, everywhere: bool = False
    ) -> tuple[list[str], frozenset[int]]:
        """Run a command on the node of the domain's tables, in this transaction.

        Returned are what ``node_locks.READ`` has set, and the tables that have led there.

        Arguments:
            everywhere: run it on every node that has tables of a domain.
        """
        schema = None if everywhere or self.domain.is_core else self.domain.schema
        [tables] = run_sql(self.connection, ONE_TABLE_OF_EACH_NODE, {"schema": schema})
        answers = []
        for *table, _ in tables:
            statement = sql.SQL(RUN_ON_NODE).format(command=command, table=sql.Identifier(*table))
            [[(_, answer, _)]] = run_sql(self.connection, statement)
            answers.append(answer)
        return answers, frozenset(oid for *_, oid in tables)

    def _find_shards(self, numbers: Collection[int]) -> Collection[int]:
        if not can_query(self.connection):
            return ()
        return [number for (number,) in fetch_all(self.connection, SHARDS, [[*numbers]])]

    def _read_names(self, table: QualifiedName) -> TakenNames:
        params = {"schema": table.schema, "table": table.name}
        [rows] = run_sql(self.connection, TAKEN_NAMES, params)
        return TakenNames(*map(frozenset, rows[0])) if rows else TakenNames()
