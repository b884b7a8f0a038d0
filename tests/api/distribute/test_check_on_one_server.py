"""The check before a distribution on a server without a cluster: runs, findings and objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connections

from domain_migrations.api.distribute.preflight import check_distribution, refuse_obstacles
from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster.cluster import Cluster, Node
from domain_migrations.exceptions import DistributionRefused
from tests.support.catalog import execute
from tests.support.commands import Result

Call = Callable[..., Result]
JOURNAL = "hr.django_migrations_hr_journal"
FAILED = f"""
UPDATE {JOURNAL} SET status = 'failed'
WHERE id = (SELECT max(id) FROM {JOURNAL} WHERE direction = 'run')
"""


def found(name: str) -> dict[str, str]:
    """The id of each obstacle of a domain → its object."""
    return {each.id: each.object for each in check_distribution([name]).obstacles}


def test_runs_and_findings(migrated_database: str, call: Call) -> None:
    assert set(found("hr")) == {"no_extension"}
    execute("CREATE TABLE public.leave_types (decoy integer)")
    assert found("hr")["verify_finding"] == "public.leave_types"
    execute(FAILED)
    assert found("hr")["interrupted"] == "hr.django_migrations_hr"
    assert call("migrate_domain", "hr", "0012", "--noinput").exit_status == 0
    assert found("hr")["pending_migrations"] == "hr.django_migrations_hr"


def test_all_obstacles_in_objects_refuse_a_distribution(migrated_database: str) -> None:
    node = Node(0, "10.0.0.1", 5432, True, True, True, True)
    cluster = Cluster(
        version="14.0-1",
        is_coordinator=True,
        nodes=(node,),
        schemas={},
        reference_tables=frozenset(),
    )
    chosen = [get_domain("inventory")]
    refuse_obstacles(connections["default"], cluster, chosen)
    for statement in (
        "CREATE TABLE inventory.log (id bigint PRIMARY KEY)",
        "CREATE TABLE inventory.twin () INHERITS (inventory.log)",
        "CREATE TABLE inventory.other () INHERITS (inventory.log)",
    ):
        execute(statement)
    with pytest.raises(DistributionRefused) as refused:
        refuse_obstacles(connections["default"], cluster, chosen)
    assert "inventory." in refused.value.message
    assert "more obstacle" in refused.value.message
    assert refused.value.hint.endswith("manage.py distribute_domain --check inventory")
