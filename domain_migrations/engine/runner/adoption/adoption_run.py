"""The run of an adoption in a database: one transaction under core's and the domain's lock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import CORE, QualifiedName, get_domain
from ....exceptions import MigrationFailed
from ...history.journal import RunContext
from ...history.tables import ensure_schema
from ...sessions.connection import execute, fetch_all
from ...sessions.session import acquire_run_lock
from ...sessions.timeouts import RetryPolicy, TimeoutPolicy
from ..options import MigrateOptions
from ..results import AppliedMove, Reporter
from ..run_session import RunSession
from .moves import Move, existing_relations, is_pending
from .objects import MovedObject, moved_objects
from .records import count_rows, log_move, move_rows

FILES = """
SELECT c.oid, pg_relation_filenode(c.oid) FROM pg_class c
WHERE c.oid = ANY(%(oids)s)
    OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY(%(oids)s))
ORDER BY 1
"""
"""The files that hold the rows of relations, and of their indexes."""


@dataclass(frozen=True)
class AdoptionRun:
    """Moves what a declaration names, all of it or nothing.

    Attributes:
        move: what is to be moved.
        context: the run that this is a part of.
    """

    move: Move
    options: MigrateOptions
    reporter: Reporter
    context: RunContext

    def run_locked(self) -> AppliedMove | None:
        """Acquire the locks that exclude every run of core and of the domain, and run.

        Raises:
            LockNotAvailable: another run held one of them for too long.
            DomainMigrationsError: see ``run``.
        """
        core = get_domain(CORE)
        with RunSession.locked(core, self.options, self.reporter, self.context) as session:
            return self.run(session)

    def run(self, session: RunSession, *, retries: int | None = None) -> AppliedMove | None:
        """Move everything in one transaction, again after each lock timeout.

        Arguments:
            session: has core's lock.
            retries: how often to retry; the setting's number unless given.

        Returns:
            None if another run has done it in the meantime.

        Raises:
            InvalidConfiguration: something is in the way; see ``is_pending``.
            MigrationFailed: the result is not what it was before, and was rolled back.
        """
        connection, options = session.connection, self.options
        policy = TimeoutPolicy(
            connection,
            report=self.reporter.on_note,
            lock_timeout=options.lock_timeout,
            statement_timeout=options.statement_timeout,
            retries=None if retries is None else RetryPolicy(retries=retries),
        )

        def attempt() -> AppliedMove | None:
            with transaction.atomic(using=connection.alias), policy.timeouts():
                if not is_pending(connection, self.move):
                    return None
                return self._move(connection)

        wait = options.lock_wait_seconds
        with acquire_run_lock(
            connection, self.move.domain, wait=wait, report=self.reporter.on_wait
        ):
            done = policy.run_with_retries(str(self.move), attempt)
        if done is not None:
            self.reporter.on_note(f"Moved {done}.")
        return done

    def plan(self, connection: BaseDatabaseWrapper) -> AppliedMove:
        """Return what a run would do, without changing anything.

        Raises:
            InvalidConfiguration: something is in the way.
        """
        objects = moved_objects(connection, self.move)
        statements = tuple(move_statements(connection, objects))
        return self._result(objects, count_rows(connection, self.move), statements)

    def _move(self, connection: BaseDatabaseWrapper) -> AppliedMove:
        move, started = self.move, time.monotonic()
        objects = moved_objects(connection, move)
        ensure_schema(connection, move.target.schema)
        lock_tables(connection, objects)
        files = self._files(connection, objects)
        statements = tuple(move_statements(connection, objects))
        for statement in statements:
            execute(connection, statement)
        rows = move_rows(connection, move)
        if files != self._files(connection, objects):
            raise MigrationFailed(
                f"{move} has rewritten a table, which it must not do; everything was rolled back.",
                hint="Find the event trigger or extension that rewrites tables, and disable it.",
            )
        log_move(connection, move, self.context, rows, {})
        result = self._result(objects, len(rows), statements)
        return result._replace(seconds=time.monotonic() - started)

    def _result(
        self, objects: list[MovedObject], rows: int, statements: tuple[str, ...]
    ) -> AppliedMove:
        move = self.move
        return AppliedMove(
            apps=move.adoption.apps,
            backwards=move.backwards,
            source=move.source.schema,
            target=move.target.schema,
            tables=sum(item.kind.endswith("TABLE") for item in objects),
            rows=rows,
            objects=tuple((item.kind.lower(), str(item.old), str(item.new)) for item in objects),
            sql=statements,
        )

    @staticmethod
    def _files(
        connection: BaseDatabaseWrapper, objects: list[MovedObject]
    ) -> list[tuple[int, int]]:
        oids = [item.oid for item in objects if item.is_relation]
        return fetch_all(connection, FILES, {"oids": oids})


def lock_tables(connection: BaseDatabaseWrapper, objects: list[MovedObject]) -> None:
    """Acquire the strongest lock on all tables at once, before anything is changed."""
    names = [str(item) for item in objects if item.kind == "TABLE"]
    if names:
        execute(connection, f"LOCK TABLE ONLY {', ONLY '.join(names)} IN ACCESS EXCLUSIVE MODE")


def move_statements(connection: BaseDatabaseWrapper, objects: list[MovedObject]) -> Iterator[str]:
    """Yield the statements that move the objects."""
    renamed = [item for item in objects if item.old.name != item.new.name]
    taken = existing_relations(
        connection, [QualifiedName(item.new.schema, item.old.name) for item in renamed]
    )
    for item in objects:
        yield from item.statements(taken)
