"""The schema of a domain that a run finds missing."""

from __future__ import annotations

from ..history.tables import ensure_schema
from .run_session import RunSession


def ensure_domain_schema(session: RunSession) -> None:
    """Create the domain's schema unless it exists: on a cluster distributed, if it should be."""
    connection, domain = session.connection, session.domain
    on_cluster = session.on_cluster  # Also for core: it refuses the database of a worker.
    if domain.is_core or on_cluster is None:
        ensure_schema(connection, domain.schema)
        return
    from ..cluster.new_schema import create_schema

    is_distributed = create_schema(
        connection,
        on_cluster.cluster,
        domain.schema,
        distributed=domain.is_distributed,
    )
    # It has one more schema now, and perhaps reference tables.
    vars(session).pop("cluster")
    vars(session).pop("on_cluster")
    if domain.is_distributed and not is_distributed:
        session.reporter.on_warning(
            f'Warning: The domain "{domain.name}" is declared as distributed, and its schema had'
            f" tables already, which stay on the coordinator. Run: manage.py distribute_domain"
            f" {domain.name}"
        )
