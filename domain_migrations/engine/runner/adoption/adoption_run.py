"""The run of an adoption in a database: one transaction under core's and the domain's lock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import CORE, QualifiedName, get_domain
from ....exceptions import MigrationFailed
from ...catalog.compat_views import CompatView, read_views_of_adoptions
from ...history.journal import Journal
from ...history.run_context import RunContext
from ...history.tables import ensure_history, ensure_schema
from ...sessions.connection import execute, fetch_all, schema_exists
from ...sessions.roles import domain_role
from ...sessions.session import acquire_run_lock
from ...sessions.timeouts import RetryPolicy, TimeoutPolicy
from ..adoption_results import AppliedMove
from ..attempt_contexts import join_cluster
from ..options import MigrateOptions
from ..results import Reporter
from ..run_session import RunSession
from .cluster_moves import check_not_on_nodes, keep_on_coordinator
from .foreign_keys import CrossingKey, check_keys, crossing_keys
from .functions import FunctionTexts, find_function_texts, redefine
from .moved_catalog import Proof
from .moves import Move, existing_relations, is_pending
from .objects import MovedObject, moved_objects
from .records import Files, MoveLog, count_rows, drop_domain, log_move, move_rows
from .schema_privileges import Grant, new_grants
from .view_statements import create_statements, drop_statements

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

        join_cluster(session, policy)

        def attempt() -> AppliedMove | None:
            with transaction.atomic(using=connection.alias), policy.timeouts():
                if self.move.only_drops_views:
                    return self._drop_views(connection)
                if not is_pending(connection, self.move):
                    return None
                keep_on_coordinator(session, self.move)
                return self._move(connection)

        wait = options.lock_wait_seconds
        with acquire_run_lock(
            connection, self.move.domain, wait=wait, report=self.reporter.on_wait
        ):
            done = policy.run_with_retries(str(self.move), attempt)
        if done is not None:
            text = str(done)
            self.reporter.on_note(f"{text[0].upper()}{text[1:]}.")
            if note := owner_note(connection, self.move):
                self.reporter.on_note(note)
        return done

    def _drop_views(self, connection: BaseDatabaseWrapper) -> AppliedMove:
        statements = tuple(drop_statements(connection, self.move.adoption))
        for statement in statements:
            execute(connection, statement)
        return self._dropped_views(statements)

    def _dropped_views(self, statements: tuple[str, ...]) -> AppliedMove:
        move = self.move
        return AppliedMove(
            apps=move.adoption.apps,
            backwards=False,
            source=move.source.schema,
            target=move.target.schema,
            tables=0,
            rows=0,
            dropped_views=len(statements),
            sql=statements,
        )

    def plan(self, connection: BaseDatabaseWrapper) -> AppliedMove:
        """Return what a run would do, without changing anything.

        Raises:
            InvalidConfiguration: something is in the way.
        """
        if self.move.only_drops_views:
            return self._dropped_views(tuple(drop_statements(connection, self.move.adoption)))
        check_not_on_nodes(connection, self.move)
        work = Work.find(connection, self.move)
        work.check()
        return work.result(count_rows(connection, self.move))

    def _move(self, connection: BaseDatabaseWrapper) -> AppliedMove:
        move = self.move
        work = Work.find(connection, move)
        work.check()
        is_new_schema = not schema_exists(connection, move.target.schema)
        ensure_schema(connection, move.target.schema)
        ensure_history(connection, move.target)
        Journal(connection, move.target, self.context).open()
        migrations = Files.read(connection, move)
        proof = Proof.begin(connection, move, work.objects, work.texts.changed, work.replaced)
        started = time.monotonic()  # Whatever can be read before comes before.
        for statement in work.first:
            execute(connection, statement)
        lock_tables(connection, work.objects)
        files = self._files(connection, work.objects)
        for statement in work.statements:
            execute(connection, statement)
        texts = redefine(connection, work.texts.changed)
        rows = move_rows(connection, move, work.log.numbers)
        if files != self._files(connection, work.objects):
            raise MigrationFailed(
                f"{move} has rewritten a table, which it must not do; everything was rolled back.",
                hint="Find the event trigger or extension that rewrites tables, and disable it.",
            )
        proof.check(connection)
        for statement in work.last:
            execute(connection, statement)
        details = {**work.details, "functions": texts, "created_schema": is_new_schema}
        log_move(connection, move, self.context, rows, migrations, details)
        if move.backwards:
            drop_domain(connection, move, work.log)
        return work.result(len(rows))._replace(seconds=time.monotonic() - started)

    @staticmethod
    def _files(
        connection: BaseDatabaseWrapper, objects: Sequence[MovedObject]
    ) -> list[tuple[int, int]]:
        oids = [item.oid for item in objects if item.is_relation]
        return fetch_all(connection, FILES, {"oids": oids})


@dataclass(frozen=True)
class Work:
    """What a move does in one database.

    Attributes:
        objects: what moves.
        keys: the foreign keys between it and the rest.
        texts: the functions that name it.
        log: what the adoption has recorded that is undone.
        grants: the privileges in the new schema, which are among the statements.
        replaced: the names of views that the first statements drop.
        first, statements, last: the SQL before, of and after the move itself.
    """

    move: Move
    objects: tuple[MovedObject, ...]
    keys: tuple[CrossingKey, ...]
    texts: FunctionTexts
    log: MoveLog
    grants: tuple[Grant, ...]
    replaced: tuple[str, ...]
    first: tuple[str, ...]
    statements: tuple[str, ...]
    last: tuple[str, ...]

    @classmethod
    def find(cls, connection: BaseDatabaseWrapper, move: Move) -> Work:
        """Return what is to be done.

        Raises:
            InvalidConfiguration: a name is taken in the new schema, or migrations were applied
                after the adoption that is to be undone.
        """
        log = MoveLog()
        first: tuple[str, ...] = ()
        views: list[CompatView] = []
        if move.backwards:
            log = MoveLog.read(connection, move)
            log.check_nothing_later(connection, move)
            first = tuple(drop_statements(connection, move.adoption))
            views = read_views_of_adoptions(connection, move.adoption.schema)
        objects = moved_objects(connection, move, named=log.functions_moved, replaced=views)
        keys = crossing_keys(connection, objects)
        texts = find_function_texts(connection, move, objects, log.functions)
        grants = tuple(new_grants(connection, move, objects))
        statements = (
            *move_statements(connection, objects),
            *(grant.statement for grant in grants),
        )
        last = (*create_statements(connection, move, objects), *log.revocations)
        return cls(
            move=move,
            objects=tuple(objects),
            keys=tuple(keys),
            texts=texts,
            log=log,
            grants=grants,
            replaced=tuple(view.name.name for view in views),
            first=first,
            statements=statements,
            last=last,
        )

    def check(self) -> None:
        """Refuse what would break something.

        Raises:
            InvalidConfiguration: with the foreign keys or the functions.
        """
        check_keys(self.move, self.keys)
        self.texts.check(self.move)

    @property
    def details(self) -> dict[str, Any]:
        """What moves, for the journal."""
        return {
            "objects": [[item.kind, str(item.old), str(item.new)] for item in self.objects],
            "revocations": [grant.revocation for grant in self.grants],
        }

    def result(self, rows: int) -> AppliedMove:
        """Return what a run shows of it.

        Arguments:
            rows: the number of rows of the history.
        """
        move = self.move
        return AppliedMove(
            apps=move.adoption.apps,
            backwards=move.backwards,
            source=move.source.schema,
            target=move.target.schema,
            tables=sum(item.kind.endswith("TABLE") for item in self.objects),
            rows=rows,
            objects=tuple(
                (item.kind.lower(), str(item.old), str(item.new)) for item in self.objects
            ),
            functions=tuple((each.identity, each.diff) for each in self.texts.changed),
            sql=(*self.first, *self.statements, *self.last),
        )


def owner_note(connection: BaseDatabaseWrapper, move: Move) -> str:
    """Return what is left to be done where a role of the domain's own runs its migrations."""
    role = None if move.backwards else domain_role(connection, move.domain)
    if role is None:
        return ""
    return (
        f"The tables keep their owner, and the role {role} runs the domain's migrations: before the"
        f" next one, run manage.py grant_domain {move.domain.name} --apply."
    )


def lock_tables(connection: BaseDatabaseWrapper, objects: Sequence[MovedObject]) -> None:
    """Acquire the strongest lock on all tables at once, before anything is changed."""
    names = [str(item) for item in objects if item.kind == "TABLE"]
    if names:
        execute(connection, f"LOCK TABLE ONLY {', ONLY '.join(names)} IN ACCESS EXCLUSIVE MODE")


def move_statements(
    connection: BaseDatabaseWrapper, objects: Sequence[MovedObject]
) -> Iterator[str]:
    """Yield the statements that move the objects."""
    renamed = [item for item in objects if item.old.name != item.new.name]
    taken = existing_relations(
        connection, [QualifiedName(item.new.schema, item.old.name) for item in renamed]
    )
    for item in objects:
        yield from item.statements(taken)
