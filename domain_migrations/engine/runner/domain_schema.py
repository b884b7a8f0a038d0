"""The schema of a domain that a run finds missing."""

from __future__ import annotations

from django.db import transaction

from ..history.tables import ensure_schema
from ..sessions.timeouts import RetryPolicy, TimeoutPolicy
from .attempt_contexts import join_cluster
from .run_session import RunSession


def ensure_domain_schema(session: RunSession) -> None:
    """Create the domain's schema unless it exists: on a cluster distributed, if it should be."""
    connection, domain = session.connection, session.domain
    on_cluster = session.on_cluster  # Also for core: it refuses the database of a worker.
    if domain.is_core or on_cluster is None:
        ensure_schema(connection, domain.schema)
        return
    from ..cluster.new_schema import create_schema

    policy = TimeoutPolicy(
        connection,
        report=session.reporter.on_note,
        lock_timeout=session.options.lock_timeout,
        statement_timeout=session.options.statement_timeout,
        # A dry run holds the locks of what came before.
        retries=RetryPolicy(retries=0) if connection.in_atomic_block else None,
    )

    join_cluster(session, policy)

    def create() -> bool:
        """Lock core's tables no longer than a migration may wait for a lock."""
        with transaction.atomic(using=connection.alias), policy.timeouts():
            return create_schema(
                connection,
                on_cluster.cluster,
                domain.schema,
                distributed=domain.is_distributed,
                report=session.reporter.on_note,
            )

    is_distributed = policy.run_with_retries(f"The creation of the schema {domain.schema}", create)
    # It has one more schema now, and perhaps reference tables.
    vars(session).pop("cluster")
    vars(session).pop("on_cluster")
    if domain.is_distributed and not is_distributed:
        session.reporter.on_warning(
            f'Warning: The domain "{domain.name}" is declared as distributed, and its schema had'
            f" tables already, which stay on the coordinator. Run: manage.py distribute_domain"
            f" {domain.name}"
        )
