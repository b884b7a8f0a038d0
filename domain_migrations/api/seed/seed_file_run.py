"""One seed's run, in one transaction with its row in the ledger and in the journal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunPython
from django.db.models import Model
from django.utils.timezone import now
from psycopg import sql

from ...domains import CORE_SCHEMA, Domain, QualifiedName
from ...engine.cluster.rows_written import rows_written
from ...engine.cluster.worker_errors import without_shard_numbers
from ...engine.guard.guard import BoundaryGuard
from ...engine.guard.held_locks import LOCK_STRENGTH, WRITE_MODE
from ...engine.guard.violations import CORE_ROWS, Violation
from ...engine.guard.watch import MigrationWatch
from ...engine.history.journal import Status
from ...engine.history.seed_ledger import SeedRecord, write_ledger
from ...engine.runner.attempt_contexts import explained, join_cluster, on_cluster, watch_nodes
from ...engine.runner.kept_transactions import transaction_kept
from ...engine.runner.run_session import RunSession
from ...engine.sessions.connection import execute, fetch_one
from ...engine.sessions.database_errors import RUN_AGAIN, first_line, sqlstate_of
from ...engine.sessions.timeouts import TimeoutPolicy
from ...exceptions import BoundaryViolation, DatabaseUnavailable, DomainMigrationsError
from .document import SeedHeader, Table
from .load import SeedLoader
from .merge import Counts
from .python_seed import SeedContext, model_of, run_python, seed_error
from .readers import read
from .seed_files import SeedFile

ROWS_WRITTEN = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(c.oid)), 0)::bigint,
    coalesce(sum(pg_stat_get_xact_tuples_updated(c.oid)), 0)::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'r' AND c.relname <> ALL(%s)
"""
"""The number of rows that the transaction has written in some schemas, as the server counts."""

RELEASE_TABLES = "UPDATE {} SET seed = '' WHERE seed = %s AND relation <> ALL(%s)"

SEED_CORE_ROWS = (
    "Write writes_core: true in the seed (writes_core = True in Python) if it has to write rows of"
    " core, or move them to a seed of core."
)


class SeedGuard(BoundaryGuard):
    """The boundary guard around a seed instead of a migration.

    Arguments:
        writes_core: whether the seed may write rows of core.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, domain: Domain, seed: SeedFile, *, writes_core: bool
    ) -> None:
        super().__init__(connection, domain)
        self.seed = seed
        self.seed_migration = Migration(seed.name, seed.app)
        self.seed_migration.operations = [RunPython(RunPython.noop)]  # type: ignore[misc]
        self.seed_migration.writes_core = writes_core  # type: ignore[attr-defined]

    def finish(self, watch: MigrationWatch) -> tuple[str, ...]:
        """Return the tables that the seed wrote rows of, as ``to_regclass`` takes them.

        Raises:
            BoundaryViolation: the seed touched what it may not.
            SeedFailed: the seed ended its transaction.
        """
        watch.after_operation(self.seed_migration.operations[0])
        locks = watch.check()
        if watch.ended_transaction():
            raise self.seed.failed(
                None,
                "it ended the transaction that it runs in, so what it did before is committed.",
                "Remove COMMIT and ROLLBACK from its SQL, and check the rows that it has written.",
            )
        own = {str(table) for table in self.domain.engine_tables}
        return tuple(
            self._quoted(name)
            for name, mode in locks.items()
            if LOCK_STRENGTH[mode] >= LOCK_STRENGTH[WRITE_MODE] and name not in own
        )

    def _quoted(self, name: str) -> str:
        schemas = (self.domain.schema, CORE_SCHEMA)
        schema = next((one for one in schemas if name.startswith(f"{one}.")), "")
        return QualifiedName(schema, name[len(schema) + 1 :]).db_table

    def refusal(self, migration: Migration, violation: Violation, cause: str) -> BoundaryViolation:
        return BoundaryViolation(
            f"The seed {self.seed} is refused: it {violation.action}.",
            hint=SEED_CORE_ROWS if violation.hint == CORE_ROWS else violation.hint,
        )


class SeedFileRun:
    """The run of one seed.

    Arguments:
        session: holds the domain's lock; its journal is open and gets a row.
        tags: the active tags.
        others: name → tables of the other seeds that have not changed since they ran.
    """

    def __init__(
        self,
        session: RunSession,
        file: SeedFile,
        header: SeedHeader,
        *,
        tags: tuple[str, ...],
        others: Mapping[str, Sequence[str]],
    ) -> None:
        self.session = session
        self.connection = session.connection
        self.domain = session.domain
        self.file = file
        self.header = header
        self.tags = tags
        self.others = others
        self.guard = SeedGuard(self.connection, self.domain, file, writes_core=header.writes_core)
        self.timeout_policy = TimeoutPolicy(self.connection, report=session.reporter.on_note)

    def run(self) -> Counts:
        """Run the seed, again after each lock timeout, and return the counts of its rows.

        Raises:
            DomainMigrationsError: the seed failed or was refused, and was rolled back.
        """
        attempt = 0
        join_cluster(self.session, self.timeout_policy)
        while True:
            self.session.check("An earlier seed")
            self.started, self.clock = now(), time.monotonic()
            if self.file.is_python:
                self.session.settings.keep()
            try:
                counts = self._run_in_transaction()
                self.session.restore_settings(f"The seed {self.file}")
                return counts
            except Exception as error:
                exc = self._explained(error)
                if self.session.is_lost and not isinstance(exc, DatabaseUnavailable):
                    raise self._lost_error(exc) from error
                attempt += 1
                if self.timeout_policy.pause_before_retry(exc, attempt, self.guard.seed_migration):
                    continue
                if isinstance(exc, DomainMigrationsError):
                    self._log_failure(exc)
                    raise
                failure = seed_error(self.file, None, exc)
                self._log_failure(failure)
                raise failure from error

    def _run_in_transaction(self) -> Counts:
        checksum = self.file.checksum()
        with (
            transaction.atomic(using=self.connection.alias),
            self.timeout_policy.timeouts(),
            nullcontext() if self.header.writes_core else self.session.roles.as_domain_role(),
            on_cluster(self.session, self.guard.seed_migration),
        ):
            watch_nodes(self.session, self.guard)
            watch = self.guard.begin(self.guard.seed_migration)
            loader = SeedLoader(
                self.connection, self.domain, self.file, self.others, self.session.cluster
            )
            load = self._run_python if self.file.is_python else self._load_data
            with transaction_kept(self.connection):
                counts = load(loader)
            execute(self.connection, "SET CONSTRAINTS ALL IMMEDIATE")
            tables = self.guard.finish(watch)
            self.session.check(f"The seed {self.file}")
            self._release(loader.relations)
            rows = asdict(counts)
            record = SeedRecord(*self.file.key, checksum, self.started, **rows, tables=tables)
            write_ledger(self.connection, self.domain, record)
            self._log("done", checksum=checksum, footprint=watch.locks, details=rows)
        return counts

    def _load_data(self, loader: SeedLoader) -> Counts:
        for table in read(self.file).tables:
            if table.columns:  # A list without rows has no columns either.
                model = self._model(table)
                loader.load(model, table, self.file.failed)
                if loader.relations[-1] in loader.relations[:-1]:
                    what = f"{model._meta.label} appears twice."
                    raise self.file.failed(table.line or None, what)
        return loader.counts

    def _model(self, table: Table) -> type[Model]:
        try:
            return model_of(self.domain, table.model or self.file.path.stem.partition("_")[2])
        except (LookupError, ValueError) as exc:
            what = str(exc.args[0]).rstrip(".")
            hint = "" if table.model else "Name the model: # model: …"
            raise self.file.failed(table.line or None, f"{what}.", hint) from exc
        except BoundaryViolation as exc:
            where = f"{self.file}, line {table.line}"
            raise BoundaryViolation(f"{where}: {exc.message}", hint=exc.hint) from exc

    def _run_python(self, loader: SeedLoader) -> Counts:
        before = self._rows_written()
        run_python(self.file, SeedContext(loader, tags=self.tags))
        after = self._rows_written()
        # Where the server does not count, the rows of upsert() are known anyway.
        return Counts(
            max(after[0] - before[0], loader.counts.inserted),
            max(after[1] - before[1], loader.counts.updated),
            loader.counts.kept,
        )

    def _rows_written(self) -> tuple[int, int]:
        schemas = [self.domain.schema, *([CORE_SCHEMA] if self.header.writes_core else [])]
        own = [table.name for table in self.domain.engine_tables]
        inserted, updated = fetch_one(self.connection, ROWS_WRITTEN, [schemas, own])
        cluster = self.session.cluster
        if cluster is None:
            return inserted, updated
        for schema in schemas:
            beside = self.domain.history_table if cluster.is_distributed(schema) else None
            more = rows_written(self.connection, schema, own, beside=beside)
            inserted, updated = inserted + more[0], updated + more[1]
        return inserted, updated

    def _release(self, relations: list[str]) -> None:
        """Release the rows of tables that the seed no longer has."""
        statement = sql.SQL(RELEASE_TABLES).format(sql.Identifier(*self.domain.seed_rows_table))
        execute(self.connection, statement, [str(self.file), relations])

    def _explained(self, exc: Exception) -> BaseException:
        """Return the error without the numbers of shards, and with what a node has said."""
        if isinstance(exc, DomainMigrationsError) and self.session.cluster:
            exc.message = without_shard_numbers(exc.message)
        return explained(self.session, exc)

    def _lost_error(self, exc: BaseException) -> DomainMigrationsError:
        return DatabaseUnavailable(
            f"The connection to the database was lost in the seed {self.file}:"
            f" {first_line(exc).rstrip('.')}.",
            hint=RUN_AGAIN,
            sqlstate=sqlstate_of(exc),
        )

    def _log_failure(self, error: DomainMigrationsError) -> None:
        if self.session.is_alive:
            with self.session.roles.as_domain_role():
                trace = {"traceback": error.traceback} if error.traceback else {}
                self._log("failed", error=error.message, sqlstate=error.sqlstate, details=trace)

    def _log(self, status: Status, **values: Any) -> None:
        self.session.journal.write(
            status,
            "seed",
            app=self.file.app,
            name=self.file.name,
            started=self.started,
            seconds=time.monotonic() - self.clock,
            **values,
        )
