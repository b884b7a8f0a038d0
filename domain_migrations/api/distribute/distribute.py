"""The function of ``distribute_domain``: domains onto the workers of a Citus cluster.

Everything that can be undone is one transaction: core's tables become reference tables, the schemas
of the domains are distributed, and catalog, sequences and rows are compared. What is left after it,
the removal of the rows that the coordinator keeps where no query sees them, is finished by the next
run if this one is killed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS, connections

from ...domains import Domain, get_domain, get_domains
from ...engine.history.run_context import RunContext
from ...engine.runner.failures import failure_status
from ...engine.runner.results import ErrorInfo
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sessions.session import ServerSession, acquire_run_lock, locked_session
from ...exceptions import DistributionRefused, DomainMigrationsError, RunStopped
from .distribution_result import (
    DistributedDomain,
    DistributeOptions,
    DistributeReporter,
    DistributionResult,
    Status,
)
from .move import DistributionMove
from .plan import DistributionPlan, plan_distribution
from .preconditions import refuse_unfinished, usable_cluster
from .preflight import refuse_obstacles

COMMAND = "distribute_domain"


def distribute_domains(
    names: Sequence[str] | None = None,
    options: DistributeOptions | None = None,
    *,
    reporter: DistributeReporter | None = None,
) -> DistributionResult:
    """Distribute domains over the workers of the Citus cluster that their database coordinates.

    A domain that is distributed is left alone. Errors that have a documented code are returned in
    the result.

    Arguments:
        names: domains; None for every domain but core, whose tables become reference tables.
        reporter: called with what happens while it happens, and to confirm it.
    """
    options, reporter = options or DistributeOptions(), reporter or DistributeReporter()
    run = Distribution(options, reporter)
    started = time.monotonic()
    try:
        result = run.run(_chosen(names, options))
    except DomainMigrationsError as exc:
        status = failure_status(exc, changed=run.moved)
        result = replace(run.result(), status=status, error=ErrorInfo.of(exc))
    except KeyboardInterrupt as exc:
        kept = "What was distributed is kept; run the command again." if run.moved else ""
        kept = kept or "Nothing was changed."
        stopped = RunStopped.by(exc, "The distribution", kept=kept)
        result = replace(run.result(), status="failed", error=ErrorInfo.of(stopped))
    return replace(result, seconds=time.monotonic() - started)


def _chosen(names: Sequence[str] | None, options: DistributeOptions) -> tuple[Domain, ...]:
    """Return the domains, which are in one database.

    Raises:
        UnknownDomain: no domain has one of the names.
        DistributionRefused: core was named, or domains of several databases.
    """
    if names is None:
        every = [domain for domain in get_domains() if not domain.is_core]
        alias = options.database or get_domains()[0].database
        return tuple(each for each in every if (options.database or each.database) == alias)
    domains = tuple(dict.fromkeys(map(get_domain, names)))
    if any(domain.is_core for domain in domains):
        raise DistributionRefused(
            "Core is not distributed: its tables become reference tables, of which every node has"
            " a copy, together with the first domain that is.",
            hint="Name the domains, or use --all.",
        )
    aliases = {options.database or domain.database for domain in domains}
    if len(aliases) > 1:
        raise DistributionRefused(
            f"The domains are in several databases: {', '.join(sorted(aliases))}.",
            hint="Name the domains of one database, or use --database.",
        )
    return domains


class Distribution:
    """One run of ``distribute_domain``.

    Attributes:
        moved: whether the transaction that distributes has been committed.
    """

    def __init__(self, options: DistributeOptions, reporter: DistributeReporter) -> None:
        self.options = options
        self.reporter = reporter
        self.context = RunContext()
        self.alias = options.database or DEFAULT_DB_ALIAS
        self.domains: tuple[Domain, ...] = ()
        self.plan: DistributionPlan | None = None
        self.move: DistributionMove | None = None

    @property
    def moved(self) -> bool:
        return self.move is not None and self.move.is_committed

    def run(self, domains: tuple[Domain, ...]) -> DistributionResult:
        """Distribute the domains, and return the result."""
        self.domains = domains
        self.alias = self.options.database or next(
            (domain.database for domain in domains), DEFAULT_DB_ALIAS
        )
        with translate_database_errors(self.alias):
            plan = self._look()
        if not (plan.moves or plan.left):
            return self.result()
        if plan.moves and not self.options.dry_run:
            self.reporter.confirm(plan.effect)
        with self._locked() as lock:
            plan = self._look()  # Another run may have done it while this one waited.
            self.move = DistributionMove(
                lock, plan, self.domains, self.options, self.reporter, self.context
            )
            self.move.run()
        return self.result()

    def _look(self) -> DistributionPlan:
        """Find out what is left to do, or refuse to do it."""
        connection = connections[self.alias]
        cluster = usable_cluster(connection)
        self.plan = plan = plan_distribution(connection, cluster, self.domains)
        if plan.moves:
            refuse_unfinished(connection, self.domains)
            refuse_obstacles(connection, cluster, plan.domains)
        return plan

    @contextmanager
    def _locked(self) -> Iterator[ServerSession]:
        """Hold core's lock exclusively, and those of the domains."""
        wait, report = self.options.lock_wait_seconds, self.reporter.on_wait
        core = get_domains()[0]
        with (
            locked_session(self.alias, core, wait=wait, report=report, command=COMMAND) as lock,
            ExitStack() as stack,
        ):
            for domain in self.domains:
                stack.enter_context(
                    acquire_run_lock(lock.connection, domain, wait=wait, report=report)
                )
            yield lock

    def result(self) -> DistributionResult:
        """Return what was done so far."""
        plan, move = self.plan, self.move
        is_done = move is not None and move.is_done
        status: Status = "unchanged"
        if is_done:
            status = "planned" if self.options.dry_run else "distributed"
        elif move is not None and move.emptied:
            status = "finished"
        return DistributionResult(
            run=str(self.context.run),
            database=self.alias,
            status=status,
            nodes=tuple(node.address for node in plan.cluster.workers) if plan else (),
            reference_tables=tuple(map(str, plan.reference_tables)) if plan and is_done else (),
            domains=tuple(self._domains(plan)) if plan else (),
            emptied=tuple(map(str, move.emptied)) if move else (),
        )

    def _domains(self, plan: DistributionPlan) -> Iterator[DistributedDomain]:
        done = self.move.distributed if self.move and self.move.is_done else ()
        found = {each.domain: each for each in done}
        for domain in self.domains:
            if domain.name in found:
                yield found[domain.name]
            elif plan.cluster.is_distributed(domain.schema):
                node = plan.cluster.schemas[domain.schema]
                yield DistributedDomain(
                    domain=domain.name,
                    schema=domain.schema,
                    status="unchanged",
                    node=node.address if node else None,
                )
