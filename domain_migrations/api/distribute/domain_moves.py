"""The functions of ``distribute_domain --move`` and ``--balance``: domains to other nodes.

Citus copies the shards of a domain by logical replication while everybody writes, and holds
writers for the last moment only. The move runs under the domain's lock, so that no migration of it,
and none of core, begins meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now

from ...domains import Domain, get_domain, get_domains
from ...engine.cluster.cluster import Cluster, Node
from ...engine.cluster.lock_waits import find_blockers
from ...engine.cluster.node_moves import (
    move_schema,
    read_balance_plan,
    read_node_facts,
    read_progress,
    read_schema_size,
    tables_not_replicated,
)
from ...engine.history.journal import Journal
from ...engine.history.run_context import RunContext
from ...engine.messages import shortened
from ...engine.runner.failures import failure_status
from ...engine.runner.results import ErrorInfo
from ...engine.sessions.blockers import Activity, BlockerWatcher
from ...engine.sessions.connection import session_settings
from ...engine.sessions.database_errors import error_class_for, first_line, sqlstate_of
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sessions.session import locked_session
from ...engine.sessions.timeouts import timeout_settings
from ...exceptions import (
    DistributionFailed,
    DistributionRefused,
    DomainMigrationsError,
    RunStopped,
)
from .move_results import DomainMove, MoveOptions, MoveProgress, MoveReporter, MoveResult
from .preconditions import usable_cluster

INTERVAL = 1.0

Planned = tuple[Domain, Node]


def move_domain(
    name: str,
    node: str,
    options: MoveOptions | None = None,
    *,
    reporter: MoveReporter | None = None,
) -> MoveResult:
    """Move a distributed domain to another node of its cluster.

    Errors that have a documented code are returned in the result.

    Arguments:
        node: its address, ``host:port``.
    """

    def plan(connection: BaseDatabaseWrapper, cluster: Cluster) -> list[Planned]:
        domain = get_domain(name)
        found = next((each for each in cluster.nodes if each.address == node), None)
        if found is None:
            raise DistributionRefused(
                f'The cluster has no node "{node}".',
                hint=f"Its nodes are {', '.join(each.address for each in cluster.nodes)}.",
            )
        return [(domain, found)]

    domain = get_domain(name)
    return _Moves(domain.database, options, reporter).run(plan)


def balance_domains(
    options: MoveOptions | None = None, *, reporter: MoveReporter | None = None
) -> MoveResult:
    """Move the domains that Citus would move to balance the nodes, one after the other.

    Errors that have a documented code are returned in the result, with what was moved before.
    """

    def plan(connection: BaseDatabaseWrapper, cluster: Cluster) -> list[Planned]:
        owners = {domain.schema: domain for domain in get_domains()}
        moves = read_balance_plan(connection, cluster)
        return [(owners[schema], node) for schema, node in moves if schema in owners]

    alias = next(each.database for each in (*get_domains()[1:], get_domains()[0]))
    return _Moves(alias, options, reporter).run(plan)


class _Moves:
    """One run of moves, one domain after the other.

    Attributes:
        done: the moves that are planned, or were made.
    """

    def __init__(
        self, alias: str, options: MoveOptions | None, reporter: MoveReporter | None
    ) -> None:
        self.options = options or MoveOptions()
        self.reporter = reporter or MoveReporter()
        self.alias = self.options.database or alias
        self.context = RunContext()
        self.done: list[DomainMove] = []

    def run(self, plan: Callable[[BaseDatabaseWrapper, Cluster], Sequence[Planned]]) -> MoveResult:
        started = time.monotonic()
        result = MoveResult(run=str(self.context.run), database=self.alias, status="unchanged")
        try:
            with translate_database_errors(self.alias):
                connection = connections[self.alias]
                cluster = usable_cluster(connection)
                for domain, node in plan(connection, cluster):
                    self._move(domain, node, cluster)
        except DomainMigrationsError as exc:
            busy = failure_status(exc, changed=self._has_moved) == "busy"
            result = replace(result, status="busy" if busy else "failed", error=ErrorInfo.of(exc))
        except KeyboardInterrupt as exc:
            kept = "What was moved before is kept; no other domain has left its node."
            stopped = RunStopped.by(exc, "The move", kept=kept)
            result = replace(result, status="failed", error=ErrorInfo.of(stopped))
        else:
            if self.done:
                result = replace(result, status=self.done[0].status)
        seconds = time.monotonic() - started
        return replace(result, moves=tuple(self.done), seconds=seconds)

    @property
    def _has_moved(self) -> bool:
        return any(move.status == "moved" for move in self.done)

    def _move(self, domain: Domain, node: Node, cluster: Cluster) -> None:
        connection = connections[self.alias]
        source = _source(domain, cluster)
        move = DomainMove(
            domain=domain.name,
            schema=domain.schema,
            source=source.address,
            target=node.address,
            **read_schema_size(connection, domain.schema)._asdict(),
        )
        if source == node:
            self.done.append(replace(move, status="unchanged"))
            return
        _refuse(connection, domain, source, node, block_writes=self.options.block_writes)
        if self.options.dry_run:
            self.done.append(move)
            return
        wait, report = self.options.lock_wait_seconds, self.reporter.on_wait
        with locked_session(
            self.alias, domain, wait=wait, report=report, command="distribute_domain"
        ) as lock:
            self.reporter.on_move(move)
            started, clock = now(), time.monotonic()
            self._run(lock.connection, move, node)
            lock.assert_same("The move")
            move = replace(move, status="moved", seconds=time.monotonic() - clock)
            self.done.append(move)
            journal = Journal(lock.connection, domain, self.context)
            if journal.exists():
                details = {"from": move.source, "to": move.target, "bytes": move.bytes}
                journal.write(
                    "done",
                    "cluster",
                    name="move",
                    details=details,
                    started=started,
                    seconds=move.seconds,
                )

    def _run(self, connection: BaseDatabaseWrapper, move: DomainMove, node: Node) -> None:
        def look(cursor: psycopg.Cursor[Any], pid: int) -> tuple[Activity, ...]:
            blocked_by = find_blockers(cursor, pid)
            if (copied := read_progress(cursor, pid)) is not None:
                sentences = tuple(map(str, blocked_by))
                self.reporter.on_progress(move, MoveProgress(*copied, sentences))
            return blocked_by

        watcher = BlockerWatcher(connection, interval=INTERVAL)
        watcher.find = look
        try:
            with (
                session_settings(connection, timeout_settings(self.options.lock_timeout)),
                watcher,
            ):
                move_schema(connection, move.schema, node, block_writes=self.options.block_writes)
        except DatabaseError as exc:
            if error_class_for(sqlstate_of(exc)) is not None:
                raise
            raise DistributionFailed(
                f'The domain "{move.domain}" could not be moved: {first_line(exc)}.',
                hint=f"It is on {move.source} as before. Correct the cause, and run it again.",
                sqlstate=sqlstate_of(exc),
            ) from exc


def _source(domain: Domain, cluster: Cluster) -> Node:
    """Return the node that the domain is on.

    Raises:
        DistributionRefused: it is on none.
    """
    source = cluster.schemas.get(domain.schema)
    if source is None:
        raise DistributionRefused(
            f'The domain "{domain.name}" is not distributed, or has no table yet.',
            hint=f"First run: manage.py distribute_domain {domain.name}",
        )
    return source


def _refuse(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    source: Node,
    node: Node,
    *,
    block_writes: bool,
) -> None:
    """Refuse what Citus would refuse, or would begin and not end.

    Raises:
        DistributionRefused: the target takes no shards, or the tables cannot be replicated.
    """
    if not node.should_have_shards:
        raise DistributionRefused(
            f"The node {node.address} takes no shards.",
            hint="If it should: SELECT citus_set_node_property"
            f"('{node.host}', {node.port}, 'shouldhaveshards', true);",
        )
    facts = read_node_facts(connection, [source, node])
    for each, about in zip((source, node), facts, strict=True):
        if not about.reaches_itself:
            raise DistributionRefused(
                f"The node {each.address} cannot be used for a move: "
                + (about.problem or f"it cannot connect to itself at {about.itself}")
                + ".",
                hint="Set citus.local_hostname there to the name by which it reaches itself, and"
                " reload it.",
            )
    if block_writes:
        return
    or_block = "or copy them while nobody can write: --block-writes"
    if (level := facts[0].wal_level) != "logical":
        raise DistributionRefused(
            f'wal_level of {source.address} is "{level}", so that its changes cannot be'
            " replicated.",
            hint=f"Set it to logical there and restart it, {or_block}.",
        )
    if tables := tables_not_replicated(connection, domain.schema):
        raise DistributionRefused(
            f"{shortened(tables)} of {domain.schema} cannot be replicated: unlogged, or without a"
            " primary key or another replica identity.",
            hint=f"Give them one in a migration, {or_block}.",
        )
