"""Obstacles: what keeps domains from being distributed, each with what removes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE, Domain, QualifiedName, get_domain
from ...engine.catalog.drift_ids import NOT_DISTRIBUTED
from ...engine.cluster.cluster import Cluster
from ...engine.history.status import read_name_statuses
from ...engine.messages import shortened
from ...engine.runner.interruptions import find_interruption
from ..obstacle import Obstacle
from ..verify.verify import verify_domains
from .constraint_obstacles import constraint_obstacles
from .definition_obstacles import definition_obstacles
from .facts import Facts, facts_for
from .key_obstacles import key_obstacles
from .node_obstacles import node_obstacles
from .policy_obstacles import policy_obstacles
from .role_obstacles import role_obstacles
from .shard_obstacles import table_obstacles
from .trigger_function_obstacles import function_obstacles
from .trigger_obstacles import trigger_obstacles


def find_obstacles(
    connection: BaseDatabaseWrapper,
    cluster: Cluster | None,
    domains: Sequence[Domain],
    reference_tables: Collection[QualifiedName] = (),
) -> tuple[Obstacle, ...]:
    """Return what keeps the domains from being distributed; changes nothing.

    Arguments:
        cluster: None where the extension is not installed.
        reference_tables: core's tables that are, or become, reference tables.
    """
    of_nodes = tuple(node_obstacles(connection, cluster))
    if cluster is not None and not cluster.is_coordinator:
        return of_nodes  # What is in the database of a worker says nothing about the domains.
    facts = facts_for(connection, domains, reference_tables, cluster.schemas if cluster else ())
    found = [
        *of_nodes,
        *_runs(facts),
        *_findings(facts),
        *domain_obstacles(facts),
    ]
    return tuple(dict.fromkeys(found))


def domain_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield the obstacles in the domains' own objects, which the catalog alone shows."""
    yield from key_obstacles(facts)
    yield from table_obstacles(facts)
    yield from definition_obstacles(facts)
    yield from constraint_obstacles(facts)
    yield from policy_obstacles(facts)
    yield from role_obstacles(facts)
    yield from trigger_obstacles(facts)
    yield from function_obstacles(facts)


def _runs(facts: Facts) -> Iterator[Obstacle]:
    """Yield pending migrations, and runs that did not end well."""
    needed = list(dict.fromkeys((get_domain(CORE), *facts.domains)))
    for status in read_name_statuses(facts.connection, needed):
        domain = status.domain
        table, command = str(domain.history_table), f"manage.py migrate_domain {domain.name}"
        if status.pending:
            yield facts.obstacle(
                "pending_migrations",
                domain.schema,
                table,
                f"Migrations are pending: {shortened(status.pending)}.",
                command,
            )
            continue
        interruption = find_interruption(facts.connection, domain) if status.last_run else None
        if interruption is not None or not status.is_consistent:
            at = f" at {interruption.key}" if interruption else ""
            yield facts.obstacle(
                "interrupted",
                domain.schema,
                table,
                f'The last run of the domain "{domain.name}" did not end well{at}.',
                command,
            )


def _findings(facts: Facts) -> Iterator[Obstacle]:
    """Yield what `verify_domain` finds: a database that is not what the code says stays so."""
    names = [domain.name for domain in facts.domains]
    if not names:
        return
    for finding in verify_domains(names, database=facts.connection.alias).findings:
        if finding.id == NOT_DISTRIBUTED:
            continue
        yield Obstacle(
            facts.connection.alias,
            finding.object,
            f"{finding.id}: {finding.message}",
            finding.hint,
            id="verify_finding",
            domain=finding.domain,
        )
