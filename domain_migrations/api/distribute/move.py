"""The transaction that distributes domains, and the removal of the rows that it leaves."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction
from django.utils.timezone import now
from psycopg import sql

from ...domains import Domain, QualifiedName, get_domains
from ...engine.cluster.cluster import Cluster, read_cluster
from ...engine.cluster.local_rows import (
    schemas_with_half_enforced_keys,
    tables_with_local_rows,
)
from ...engine.cluster.missing_functions import create_unknown_functions
from ...engine.cluster.sequence_positions import catch_up_sequences
from ...engine.cluster.toast_options import toast_statements
from ...engine.cluster.transaction_settings import join_cluster
from ...engine.cluster.triggers import disable_statements, enabled_triggers, restore_statements
from ...engine.cluster.worker_errors import is_lost_node
from ...engine.history.journal import Journal
from ...engine.history.run_context import RunContext
from ...engine.history.tables import existing_journals
from ...engine.messages import counted, shortened
from ...engine.sessions.connection import execute, fetch_one
from ...engine.sessions.database_errors import (
    RUN_AGAIN,
    SERVER_GONE,
    error_class_for,
    first_line,
    first_part,
    sqlstate_of,
)
from ...engine.sessions.outcomes import TransactionMark
from ...engine.sessions.session import ServerSession
from ...engine.sessions.timeouts import TimeoutPolicy
from ...exceptions import (
    DatabaseUnavailable,
    DistributionFailed,
    DomainMigrationsError,
    NodeUnavailable,
)
from .contents import Contents, differences, read_contents
from .distribution_result import DistributedDomain, DistributeOptions, DistributeReporter
from .local_copies import remove_local_copies
from .plan import DistributionPlan, half_enforced_keys
from .table_locks import lock_tables

RECOVER = "SELECT pg_catalog.recover_prepared_transactions()"
MAY_RECOVER = (
    "SELECT has_function_privilege('pg_catalog.recover_prepared_transactions()', 'EXECUTE')"
)
CREATE_REFERENCE_TABLE = "SELECT create_reference_table({}::regclass)"
DISTRIBUTE = "SELECT citus_schema_distribute({}::regnamespace)"


class DistributionMove:
    """The work of one run of ``distribute_domain``, under the locks of core and of the domains.

    Attributes:
        is_done: whether the transaction has ended as it should: in a dry run, rolled back.
        is_committed: whether the distribution is committed.
        distributed: the domains that were distributed.
        emptied: the tables whose local rows were removed.
    """

    def __init__(
        self,
        lock: ServerSession,
        plan: DistributionPlan,
        domains: Sequence[Domain],
        options: DistributeOptions,
        reporter: DistributeReporter,
        context: RunContext,
    ) -> None:
        self.lock = lock
        self.connection = lock.connection
        self.plan = plan
        self.domains = domains
        self.options = options
        self.reporter = reporter
        self.context = context
        self.timeouts = TimeoutPolicy(
            self.connection,
            report=reporter.on_note,
            lock_timeout=options.lock_timeout,
            statement_timeout=0.0,  # Copying takes as long as it takes.
        )
        join_cluster(self.timeouts)
        self.mark: TransactionMark | None = None
        self.is_done = self.is_committed = False
        self.distributed: tuple[DistributedDomain, ...] = ()
        self.emptied: list[QualifiedName] = []

    def run(self) -> None:
        """Distribute what the plan has, and remove the local rows."""
        if self.plan.moves:
            # What a killed run has prepared on a node, and not committed, would be in the way.
            # Where only a superuser may remove it at once, Citus does within a minute.
            if fetch_one(self.connection, MAY_RECOVER) == (True,):
                execute(self.connection, RECOVER)
            try:
                self.timeouts.run_with_retries("The distribution", self._distribute)
            except DatabaseError as exc:
                if error_class_for(sqlstate_of(exc)) is not None:
                    raise
                raise DistributionFailed(
                    f"The distribution failed, and nothing was changed: {first_line(exc)}.",
                    hint="Correct the cause, and try it again with --dry-run.",
                    sqlstate=sqlstate_of(exc),
                ) from exc
        if not self.options.dry_run:
            self._remove_local_copies()
            self._warn_of_half_enforced_keys()

    def _distribute(self) -> None:
        """Run the transaction once; everything in it is rolled back where anything differs."""
        self.mark = None
        try:
            with transaction.atomic(using=self.connection.alias), self.timeouts.timeouts():
                self._run_transaction()
                self.mark = self.lock.assert_same("The distribution")
                if self.options.dry_run:
                    transaction.set_rollback(True, using=self.connection.alias)
        except (DatabaseError, InterfaceError) as exc:
            if (error := self._connection_error(exc)) is not None:
                raise error from exc
            raise
        self.is_done, self.is_committed = True, not self.options.dry_run

    def _run_transaction(self) -> None:
        plan, started, clock = self.plan, now(), time.monotonic()
        moving = [domain.schema for domain in plan.domains]
        lock_tables(self.connection, plan.all_tables, moving)
        self.reporter.on_note(
            f"{counted(len(plan.all_tables), 'table')} ({plan.size}) are locked while their rows"
            " are copied."
        )
        before = self._contents()
        for statement in self._statements():
            execute(self.connection, statement)
        create_unknown_functions(self.connection, plan.schemas)
        if found := differences(before, self._contents()):
            raise DistributionFailed(
                "Nothing was changed, because the distribution would have changed more than the"
                f" place of tables: {shortened(found, 5)}.",
                hint="Keep what Citus changes out of the domain, and try it again with --dry-run.",
            )
        cluster = read_cluster(self.connection) or plan.cluster
        self.distributed = tuple(self._distributed(before, cluster))
        if not self.options.dry_run:
            self._write_journals(cluster, seconds=time.monotonic() - clock, started=started)

    def _contents(self) -> Contents:
        return read_contents(self.connection, self.plan.schemas, self.plan.all_tables)

    def _statements(self) -> Iterator[sql.Composed]:
        triggers = enabled_triggers(self.connection, self.plan.all_tables)
        yield from disable_statements(triggers)
        for table in self.plan.reference_tables:
            yield sql.SQL(CREATE_REFERENCE_TABLE).format(table.db_table)
        for domain in self.plan.domains:
            name = sql.Identifier(domain.schema).as_string(None)
            yield sql.SQL(DISTRIBUTE).format(name)
        yield from restore_statements(triggers)
        yield from toast_statements(self.connection, self.plan.all_tables)

    def _distributed(self, before: Contents, cluster: Cluster) -> Iterator[DistributedDomain]:
        for domain in self.plan.domains:
            rows = [
                sums.rows for table, sums in before.rows.items() if table.schema == domain.schema
            ]
            node = cluster.schemas[domain.schema]
            yield DistributedDomain(
                domain=domain.name,
                schema=domain.schema,
                status="planned" if self.options.dry_run else "distributed",
                # The one that a rolled back distribution chose says nothing about the next.
                node=node.address if node and not self.options.dry_run else None,
                tables=len(rows),
                rows=sum(rows),
            )

    def _write_journals(
        self, cluster: Cluster, *, started: datetime.datetime, seconds: float
    ) -> None:
        """Record what was done, in the same transaction."""
        nodes = {"citus": cluster.version, "nodes": [node.address for node in cluster.nodes]}
        if self.plan.reference_tables:
            tables = [table.name for table in self.plan.reference_tables]
            self._write(
                get_domains()[0], "reference-tables", {**nodes, "tables": tables}, started, seconds
            )
        for domain, found in zip(self.plan.domains, self.distributed, strict=True):
            details = {**nodes, "node": found.node, "tables": found.tables, "rows": found.rows}
            self._write(domain, "distribute", details, started, seconds)

    def _remove_local_copies(self) -> None:
        """Remove the rows that the coordinator has left, of this run and of earlier ones.

        An earlier one may have ended with the coordinator, whose sequences may then lag.
        """
        journals = existing_journals(self.connection, self.domains)
        catch_up_sequences(self.connection, journals.values())
        for domain in (get_domains()[0], *self.domains):
            started, clock = now(), time.monotonic()
            tables = tables_with_local_rows(self.connection, [domain.schema])
            names: list[str] = []
            for table in remove_local_copies(self.connection, tables, self._retry):
                self.emptied.append(table)
                names.append(table.name)
            if names:
                seconds = time.monotonic() - clock
                self._write(domain, "remove-local-rows", {"tables": names}, started, seconds)

    def _warn_of_half_enforced_keys(self) -> None:
        if schemas := schemas_with_half_enforced_keys(self.connection):
            owners = {domain.schema: domain.name for domain in get_domains()}
            names = [owners.get(schema, schema) for schema in schemas]
            self.reporter.on_warning(f"Warning: {half_enforced_keys(names)}")

    def _retry(self, what: str, run: Callable[[], None]) -> None:
        def once() -> None:
            with transaction.atomic(using=self.connection.alias), self.timeouts.timeouts():
                run()

        self.timeouts.run_with_retries(what, once)

    def _write(
        self,
        domain: Domain,
        name: str,
        details: Mapping[str, Any],
        started: datetime.datetime,
        seconds: float,
    ) -> None:
        journal = Journal(self.connection, domain, self.context)
        if journal.exists():
            journal.write(
                "done", "cluster", name=name, details=details, started=started, seconds=seconds
            )

    def _connection_error(self, exc: BaseException) -> DomainMigrationsError | None:
        """Return the error for a connection that was lost, to the coordinator or to a worker."""
        state, reason = sqlstate_of(exc), first_line(exc).rstrip(".")
        if not self.lock.is_lost and not reason.startswith(SERVER_GONE):
            if not is_lost_node(reason, state or ""):
                return None
            return NodeUnavailable(
                f"A node of the cluster was lost during the distribution: {first_part(reason)}.",
                hint="Nothing was changed. When all nodes answer, run the command again.",
                sqlstate=state,
            )
        outcome = self.lock.outcome(self.mark) if self.mark else "rolled back"
        self.is_done = self.is_committed = outcome == "committed"
        kept = {
            "committed": "The distribution was committed.",
            "rolled back": "Nothing was changed.",
        }.get(outcome, "Whether the distribution was committed is not known.")
        return DatabaseUnavailable(
            f"The connection to the coordinator was lost during the distribution: {reason}.",
            hint=f"{kept} {RUN_AGAIN}",
            sqlstate=state,
        )
