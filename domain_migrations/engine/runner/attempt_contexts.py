"""Contexts for the transaction of an attempt: the domain's role, and what a cluster needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from django.db.migrations.migration import Migration

from ...exceptions import BoundaryViolation
from ..guard.guard import BoundaryGuard
from ..sessions.timeouts import TimeoutPolicy
from ..sources.transfer_halves import half_in
from .run_session import RunSession

Observer = Callable[[Migration], AbstractContextManager[None]]


@contextmanager
def as_domain_role(
    session: RunSession, migration: Migration, observe: Observer | None
) -> Iterator[None]:
    """Act as the domain's role, or the login role if the migration declares that it does more."""
    more = any(getattr(migration, name, False) for name in ("writes_core", "alters_database"))
    more = more or half_in(migration) is not None
    role = session.roles.as_login_role() if more else session.roles.as_domain_role()
    with role, observe(migration) if observe else nullcontext():
        yield


def join_cluster(
    session: RunSession, policy: TimeoutPolicy, guard: BoundaryGuard | None = None
) -> None:
    """Prepare what every transaction of a run needs on a cluster; elsewhere do nothing."""
    if session.on_cluster is not None:
        from ..cluster import transaction_settings

        transaction_settings.join_cluster(policy)
        if guard is not None:
            guard.uses_savepoints = False
            watch_nodes(session, guard)


def watch_nodes(session: RunSession, guard: BoundaryGuard) -> None:
    """Let the guard see on a cluster what is done on the nodes; elsewhere do nothing."""
    cluster = session.on_cluster
    if cluster is not None and (guard.nodes is None or guard.nodes.session is not cluster):
        from ..guard.locks_on_nodes import LocksOnNodes

        guard.nodes = LocksOnNodes(cluster)


@contextmanager
def on_cluster(session: RunSession, migration: Migration) -> Iterator[None]:
    """Send the statements in the block as Citus takes them; on plain PostgreSQL as they are."""
    cluster = session.on_cluster
    if cluster is None:
        yield
        return
    from ..cluster.node_functions import node_function

    def refuse(text: str) -> None:
        function = node_function(text)
        if function and not getattr(migration, "alters_database", False):
            raise BoundaryViolation(
                f"Migration {migration} is refused: it calls {function}(), which changes nodes of"
                " the cluster past this transaction: no rollback undoes it, and the guard does not"
                " see it.",
                hint="Leave it to the cluster's administrator, manage.py distribute_domain moves"
                " domains. A migration that has to call it sets alters_database = True.",
            )

    in_transaction = migration.atomic or session.connection.in_atomic_block
    with cluster.transaction(refuse) if in_transaction else cluster.without_transaction(refuse):
        yield


def explained(session: RunSession, exc: BaseException) -> BaseException:
    """Return an error of a cluster's node in the words of the domain; others as they are."""
    return exc if session.on_cluster is None else session.on_cluster.explained(exc)


def cluster_advice(session: RunSession, exc: BaseException) -> str:
    """Return what to do about an error that a cluster has raised, empty if none did."""
    return "" if session.on_cluster is None else session.on_cluster.advice(exc)
