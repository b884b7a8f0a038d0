"""Reading domains of which some are on a node that does not answer.

One query reads the histories of all domains, and fails as a whole where one of them is on such a
node. Without a cluster nothing else is ever done than that one query.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...exceptions import (
    DomainMigrationsError,
    MigrationFailed,
    NodeLoginRefused,
    NodeUnavailable,
)
from ..sessions.connection import is_alive
from ..sessions.database_problems import GIVE_A_WAY_IN, translate_database_errors
from .silent_nodes import SilenceWatcher

Found = TypeVar("Found")


def read_reachable(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    read: Callable[[list[Domain]], Found],
) -> tuple[Found | None, dict[str, NodeUnavailable]]:
    """Return what was read, and domain name → the error for those on a node that is down.

    Arguments:
        read: is called once more, with the other domains, where some are on such a node.

    Raises:
        DomainMigrationsError: any other error of the database; see ``translate_database_errors``.
    """
    with SilenceWatcher(connection) as watcher:
        try:
            return _read(connection, list(domains), read), {}
        except NodeUnavailable as exc:
            error = exc
        except DomainMigrationsError as exc:
            if not watcher.silent:
                raise
            error = silent_node(watcher.silent)
            error.__cause__ = exc
    problems = _problems(connection, domains, watcher.silent)
    if not problems:
        return None, dict.fromkeys((domain.name for domain in domains), error)
    reachable = [domain for domain in domains if domain.name not in problems]
    return _read(connection, reachable, read) if reachable else None, problems


def _problems(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain], silent: Collection[str]
) -> dict[str, NodeUnavailable]:
    """Return domain name → the error; nothing if a transaction cannot go on."""
    if connection.in_atomic_block and not is_alive(connection):
        return {}
    try:
        with translate_database_errors(connection.alias):
            return out_of_reach(connection, domains, silent=silent)
    except MigrationFailed:
        return {}  # It has used the node before.


def _read(
    connection: BaseDatabaseWrapper, domains: list[Domain], read: Callable[[list[Domain]], Found]
) -> Found:
    with translate_database_errors(connection.alias), _savepoint(connection):
        return read(domains)


def out_of_reach(
    connection: BaseDatabaseWrapper,
    domains: Sequence[Domain],
    *,
    silent: Collection[str] = (),
) -> dict[str, NodeUnavailable]:
    """Return domain name → the error for those on a node that does not answer.

    Arguments:
        silent: addresses of nodes that are known not to answer; then no others are asked.
    """
    from .cluster import read_cluster  # Only where a node is down.
    from .node_queries import PING, NodeQuery, ask_nodes

    cluster = read_cluster(connection)
    nodes = {
        domain.name: node
        for domain in domains
        if cluster and (node := cluster.schemas.get(domain.schema)) is not None
    }
    if silent:
        return {
            name: on_node(name, node.address)
            for name, node in nodes.items()
            if node.address in silent
        }
    asked = list(dict.fromkeys(nodes.values()))
    answers = ask_nodes(connection, [NodeQuery(node.host, node.port, PING) for node in asked])
    down = {
        node: answer.problem for node, answer in zip(asked, answers, strict=True) if answer.problem
    }
    return {
        name: on_node(name, node.address, down[node])
        for name, node in nodes.items()
        if node in down
    }


def on_node(domain: str, address: str, problem: str = "") -> NodeUnavailable:
    """Return the error of a domain whose node does not answer, or refuses the session."""
    from ..sessions.rejections import refuses_login

    if refuses_login(problem):
        return NodeLoginRefused(
            f'The tables of the domain "{domain}" are on the node {address}, which does not let'
            f" the session in: {problem.strip().splitlines()[0].rstrip('.')}.",
            hint=GIVE_A_WAY_IN,
        )
    return NodeUnavailable(
        f'The tables of the domain "{domain}" are on the node {address}, which does not answer.',
        hint="Start that node; domains on other nodes are not affected.",
    )


def silent_node(addresses: Collection[str]) -> NodeUnavailable:
    """Return the error of a wait that was ended, whichever domains it was for."""
    names = ", ".join(sorted(addresses))
    return NodeUnavailable(
        f"The wait for the cluster's node {names} was ended, because it does not answer.",
        hint="Start that node, or see what it waits for.",
    )


def _savepoint(connection: BaseDatabaseWrapper) -> AbstractContextManager[Any]:
    """Return a savepoint, if a transaction is open, so that a failing query does not abort it."""
    inside = connection.in_atomic_block
    return transaction.atomic(using=connection.alias) if inside else nullcontext()
