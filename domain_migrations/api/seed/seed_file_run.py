"""One seed's run, in one transaction with its row in the ledger and in the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunPython
from django.db.models import Model
from django.utils.timezone import now
from psycopg import sql

from ...conf import get_settings
from ...domains import CORE_SCHEMA, Domain, QualifiedName
from ...engine.guard.guard import BoundaryGuard, MigrationWatch
from ...engine.guard.held_locks import LOCK_STRENGTH, WRITE_MODE
from ...engine.guard.violations import CORE_ROWS, Violation
from ...engine.history.journal import Journal, Status
from ...engine.history.seed_ledger import SeedRecord, write_ledger
from ...engine.sessions.connection import execute, is_alive, settings_sql
from ...engine.sessions.roles import RoleSwitcher
from ...engine.sessions.session import ServerSession
from ...engine.sessions.timeouts import RetryPolicy, timeout_settings
from ...exceptions import BoundaryViolation, DomainMigrationsError
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
        self.pseudo_migration = Migration(seed.name, seed.app)
        self.pseudo_migration.operations = [RunPython(RunPython.noop)]  # type: ignore[misc]
        self.pseudo_migration.writes_core = writes_core  # type: ignore[attr-defined]

    def start(self) -> MigrationWatch:
        """Return the watch over the seed; the first thing to do in its transaction."""
        return self.begin(self.pseudo_migration)

    def finish(self, watch: MigrationWatch) -> tuple[str, ...]:
        """Return the tables that the seed wrote rows of, as ``to_regclass`` takes them.

        Raises:
            BoundaryViolation: the seed touched what it may not.
            SeedFailed: the seed ended its transaction.
        """
        watch.after_operation(self.pseudo_migration.operations[0])
        locks = watch.check()
        if watch.ended_transaction():
            raise self.seed.failed(
                None,
                "it ended the transaction that it runs in, so what it did before is committed.",
                "Remove COMMIT and ROLLBACK from its SQL, and check the rows that it has written.",
            )
        written = (
            name for name, mode in locks.items() if LOCK_STRENGTH[mode] >= LOCK_STRENGTH[WRITE_MODE]
        )
        own = {str(table) for table in self.domain.engine_tables}
        return tuple(map(self._quoted, (name for name in written if name not in own)))

    def _quoted(self, name: str) -> str:
        schemas = (self.domain.schema, CORE_SCHEMA)
        schema = next((one for one in schemas if name.startswith(f"{one}.")), "")
        return QualifiedName(schema, name[len(schema) + 1 :]).db_table

    def to_error(
        self, migration: Migration, violation: Violation, operation: str
    ) -> BoundaryViolation:
        return BoundaryViolation(
            f"The seed {self.seed} is refused: it {violation.action}.",
            hint=SEED_CORE_ROWS if violation.hint == CORE_ROWS else violation.hint,
        )


class SeedFileRun:
    """The run of one seed.

    Arguments:
        lock: the domain's, on the run's own connection.
        roles: switches to the domain's role.
        journal: open; gets a row.
        tags: the active tags.
        others: name → tables of the other seeds that have not changed since they ran.
    """

    def __init__(
        self,
        lock: ServerSession,
        roles: RoleSwitcher,
        journal: Journal,
        file: SeedFile,
        header: SeedHeader,
        *,
        tags: tuple[str, ...],
        others: Mapping[str, Sequence[str]],
    ) -> None:
        self.lock = lock
        self.connection = lock.connection
        self.roles = roles
        self.journal = journal
        self.domain = journal.domain
        self.file = file
        self.header = header
        self.tags = tags
        self.others = others

    def run(self, report: Callable[[str], None]) -> Counts:
        """Run the seed, and return the counts of its rows.

        Arguments:
            report: called with a sentence before each retry.

        Raises:
            DomainMigrationsError: the seed failed or was refused, and was rolled back.
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
                        self._log_failure(exc)
                        raise
                    error = seed_error(self.file, None, exc)
                    self._log_failure(error)
                    raise error from exc
            report(f"{self.file} could not acquire its locks; retrying.")
            time.sleep(policy.pause(attempt))

    def _run_in_transaction(self) -> Counts:
        settings = get_settings()
        limits = timeout_settings(settings.lock_timeout, settings.statement_timeout)
        checksum = self.file.checksum()
        with (
            transaction.atomic(using=self.connection.alias),
            self._as_domain_role(),
        ):
            execute(self.connection, settings_sql(limits, local=True))
            guard = SeedGuard(
                self.connection, self.domain, self.file, writes_core=self.header.writes_core
            )
            watch = guard.start()
            loader = SeedLoader(self.connection, self.domain, self.file, self.others)
            load = self._run_python if self.file.is_python else self._load_data
            counts = load(loader)
            with self.connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            tables = guard.finish(watch)
            self.lock.assert_same(f"The seed {self.file}")
            self._release(loader.relations)
            row = SeedRecord(
                *self.file.key, checksum, self.started, **asdict(counts), tables=tables
            )
            write_ledger(self.connection, self.domain, row)
            self._log("done", checksum=checksum, footprint=watch.locks, details=asdict(counts))
        return counts

    def _as_domain_role(self) -> AbstractContextManager[None]:
        """Act as the domain's role, unless the seed may write rows of core."""
        return nullcontext() if self.header.writes_core else self.roles.as_domain_role()

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
        schemas = [self.domain.schema]
        if self.header.writes_core:
            schemas.append(CORE_SCHEMA)
        with self.connection.cursor() as cursor:
            cursor.execute(
                ROWS_WRITTEN, [schemas, [table.name for table in self.domain.engine_tables]]
            )
            inserted, updated = cursor.fetchone()
        return inserted, updated

    def _release(self, relations: list[str]) -> None:
        """Release the rows of tables that the seed no longer has."""
        statement = sql.SQL(RELEASE_TABLES).format(sql.Identifier(*self.domain.seed_rows_table))
        with self.connection.cursor() as cursor:
            cursor.execute(statement, [str(self.file), relations])

    def _log_failure(self, error: DomainMigrationsError) -> None:
        if not is_alive(self.connection):
            return
        with self.roles.as_domain_role():
            self._log("failed", error=error.message, sqlstate=error.sqlstate)

    def _log(self, status: Status, **values: Any) -> None:
        self.journal.write(
            status,
            "seed",
            app=self.file.app,
            name=self.file.name,
            started=self.started,
            seconds=time.monotonic() - self.clock,
            **values,
        )
