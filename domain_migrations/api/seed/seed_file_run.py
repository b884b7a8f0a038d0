"""One seed's run: everything that it does is in one transaction, its record included."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from django.db import transaction
from django.utils.timezone import now
from psycopg import sql

from ...conf import get_settings
from ...engine.history.journal import Journal
from ...engine.history.seed_ledger import SeedRecord, write_ledger
from ...engine.sessions.connection import is_alive
from ...engine.sessions.roles import RoleSwitcher
from ...engine.sessions.session import RunLock
from ...engine.sessions.timeouts import RetryPolicy, timeouts
from ...exceptions import BoundaryViolation, DomainMigrationsError, SeedFailed
from .header import SeedHeader, read
from .load import load_table
from .python_seed import SeedContext, failure_of, model_of, run_python
from .results import Counts
from .seed_files import SeedFile
from .seed_guard import SeedGuard

WRITTEN = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(c.oid)), 0)::bigint,
    coalesce(sum(pg_stat_get_xact_tuples_updated(c.oid)), 0)::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'r' AND c.relname <> ALL(%s)
"""
"""Rows that the session has written in a schema, by the server's own count."""

RELEASE_TABLES = "UPDATE {} SET seed = '' WHERE seed = %s AND relation <> ALL(%s)"


class SeedFileRun:
    """Runs one seed.

    Arguments:
        lock: the domain's, on the run's own connection.
        identity: whom the run acts as.
        journal: open; gets a row.
        tags: those that are active.
        others: name → tables of the other seeds that are as they were when they ran.
    """

    def __init__(
        self,
        lock: RunLock,
        identity: RoleSwitcher,
        journal: Journal,
        file: SeedFile,
        head: SeedHeader,
        *,
        tags: tuple[str, ...],
        others: Mapping[str, Sequence[str]],
    ) -> None:
        self.lock = lock
        self.connection = lock.connection
        self.identity = identity
        self.journal = journal
        self.domain = journal.domain
        self.file = file
        self.head = head
        self.tags = tags
        self.others = others

    def run(self, report: Callable[[str], None]) -> Counts:
        """Run the seed, and return how many rows did what.

        Arguments:
            report: told of every new attempt after a lock was not had.

        Raises:
            DomainMigrationsError: it failed or was refused, and nothing of it is there.
        """
        policy = RetryPolicy(retries=get_settings().retries)
        attempt = 0
        while True:
            self.lock.assert_same("An earlier seed")
            self.started, self.clock = now(), time.monotonic()
            try:
                return self._run_in_transaction()
            except Exception as exc:
                attempt += 1
                if not policy.allows(attempt, exc):
                    if isinstance(exc, DomainMigrationsError):
                        self._note_failure(exc)
                        raise
                    error = failure_of(self.file, None, exc)
                    self._note_failure(error)
                    raise error from exc
            report(f"{self.file} did not get its locks; it is tried again.")
            time.sleep(policy.pause(attempt))

    def _run_in_transaction(self) -> Counts:
        settings = get_settings()
        checksum = self.file.checksum()
        with (
            transaction.atomic(using=self.connection.alias),
            timeouts(
                self.connection,
                lock_timeout=settings.lock_timeout,
                statement_timeout=settings.statement_timeout,
            ),
            self._acting(),
        ):
            guard = SeedGuard(
                self.connection, self.domain, self.file, writes_core=self.head.writes_core
            )
            watch = guard.start()
            counts, relations = self._python() if self.file.is_python else self._data()
            with self.connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            tables = guard.finish(watch)
            self.lock.assert_same(f"The seed {self.file}")
            self._release(relations)
            row = SeedRecord(
                *self.file.key,
                checksum,
                self.started,
                counts.inserted,
                counts.updated,
                counts.kept,
                tables,
            )
            write_ledger(self.connection, self.domain, row)
            self.journal.write(
                "done",
                "seed",
                app=self.file.app,
                name=self.file.name,
                started=self.started,
                seconds=time.monotonic() - self.clock,
                checksum=checksum,
                footprint=watch.locks,
                details={
                    "inserted": counts.inserted,
                    "updated": counts.updated,
                    "kept": counts.kept,
                },
            )
        return counts

    def _acting(self) -> AbstractContextManager[None]:
        """Act as the domain's role, unless the seed says that it writes core's rows."""
        return nullcontext() if self.head.writes_core else self.identity.as_domain_role()

    def _data(self) -> tuple[Counts, list[str]]:
        counts, relations = Counts(), []
        for table in read(self.file).tables:
            name = table.model or self.file.path.stem.partition("_")[2]
            try:
                model = model_of(self.domain, name)
            except (LookupError, ValueError) as exc:
                what = str(exc.args[0]).rstrip(".")
                hint = "" if table.model else "Name the model: # model: …"
                raise self.file.failed(table.line or None, f"{what}.", hint) from exc
            except BoundaryViolation as exc:
                raise BoundaryViolation(
                    f"{self.file}, line {table.line}: {exc.message}", hint=exc.hint
                ) from exc

            if not table.columns:
                continue  # A list without rows says nothing of their columns either.

            def failed(line: int | None, what: str) -> SeedFailed:
                return self.file.failed(line, what)

            shape, more = load_table(
                self.connection,
                self.domain,
                model,
                table,
                seed=str(self.file),
                others=self.others,
                failed=failed,
            )
            if shape.relation in relations:
                label = model._meta.label
                raise self.file.failed(table.line or None, f"{label} is there twice.")
            counts += more
            relations.append(shape.relation)
        return counts, relations

    def _python(self) -> tuple[Counts, list[str]]:
        context = SeedContext(
            self.connection, self.domain, self.file, tags=self.tags, others=self.others
        )
        before = self._rows_written()
        run_python(self.file, context)
        inserted, updated = (
            max(now - then, 0) for now, then in zip(self._rows_written(), before, strict=True)
        )
        # Where the server does not count, what went through upsert() is known all the same.
        counts = Counts(
            max(inserted, context.counts.inserted),
            max(updated, context.counts.updated),
            context.counts.kept,
        )
        return counts, context.relations

    def _rows_written(self) -> tuple[int, int]:
        schemas = [self.domain.schema]
        if self.head.writes_core:
            schemas.append("public")
        with self.connection.cursor() as cursor:
            cursor.execute(WRITTEN, [schemas, [table.name for table in self.domain.engine_tables]])
            inserted, updated = cursor.fetchone()
        return inserted, updated

    def _release(self, relations: list[str]) -> None:
        """Let go of the rows of tables that the seed has no more."""
        statement = sql.SQL(RELEASE_TABLES).format(sql.Identifier(*self.domain.seed_rows_table))
        with self.connection.cursor() as cursor:
            cursor.execute(statement, [str(self.file), relations])

    def _note_failure(self, error: DomainMigrationsError) -> None:
        if not is_alive(self.connection):
            return
        with self.identity.as_domain_role():
            self.journal.write(
                "failed",
                "seed",
                app=self.file.app,
                name=self.file.name,
                started=self.started,
                seconds=time.monotonic() - self.clock,
                error=error.message,
                sqlstate=error.sqlstate,
            )
