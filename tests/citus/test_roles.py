"""Database roles of distributed domains: on every node, with the privileges of one server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.sessions.roles import role_name
from tests.support import cluster
from tests.support.catalog import execute, query
from tests.support.cluster import CitusServers
from tests.support.commands import call

pytestmark = pytest.mark.citus

OWNERS = """
SELECT DISTINCT pg_get_userbyid(owner) FROM (
    SELECT relowner AS owner FROM pg_class WHERE relnamespace = %s::regnamespace
    UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = %s::regnamespace
    UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = %s) AS all_of_it
"""
ROLES = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s || '_')"
STARTED = "SELECT pg_postmaster_start_time()"


def role(domain: str) -> str:
    return role_name(connections["default"], get_domain(domain))


def on_nodes(
    servers: CitusServers,
    statement: str,
    *params: str,
    as_role: str = "",
    only_workers: bool = False,
) -> list[Any]:
    """The rows of a statement on each node, shards included."""
    results = []
    name = connections["default"].settings_dict["NAME"]
    for node in servers.workers if only_workers else servers.nodes:
        with node.connect(name) as session:
            session.execute("SET citus.override_table_visibility = off")
            if as_role:
                session.execute(f'SET ROLE "{as_role}"')
            results.append(session.execute(statement, params or None).fetchall())
    return results


@pytest.fixture
def database(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[CitusServers]:
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.DISTRIBUTED):
        yield citus_cluster
        call("grant_domain", remove=True)


def test_roles_on_every_node(database: CitusServers) -> None:
    for _ in range(2):
        result = call("grant_domain", "hr", "inventory", apply=True)
        assert result.exit_status == 0, result.stderr

    can_log_in = "SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = %s"
    assert on_nodes(database, can_log_in, role("hr")) == [[(True, False)]] * 3
    assert on_nodes(database, OWNERS, "hr", "hr", "hr") == [[(role("hr"),)]] * 3
    execute("CREATE TABLE public.later (id bigint PRIMARY KEY)")
    execute("SELECT create_reference_table('public.later')")
    may_refer = (
        "SELECT DISTINCT has_table_privilege(%s, oid, 'REFERENCES'),"
        " has_table_privilege(%s, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
        " FROM pg_class WHERE relkind = 'r' AND relname ~ '^later'"
    )
    assert on_nodes(database, may_refer, role("hr"), role("hr")) == [[(True, False)]] * 3
    for statement in ("SELECT count(*) FROM hr.employees", "SELECT count(id) FROM public.users"):
        assert on_nodes(database, statement, as_role=role("hr")) == [[(0,)]] * 3
    for statement in (
        "SELECT * FROM inventory.drugs",
        "SELECT password FROM public.users",
        "DELETE FROM public.cost_centres RETURNING 1",
        "CREATE TABLE inventory.more (id bigint)",
    ):
        for only_workers in (False, True):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                on_nodes(database, statement, as_role=role("hr"), only_workers=only_workers)


def test_migrations_and_seeds_run_as_the_role(database: CitusServers) -> None:
    assert call("grant_domain", apply=True).exit_status == 0

    for target in (["hr", "0009"], ["hr"], ["--all"]):
        result = call("migrate_domain", *target, interactive=False)
        assert result.exit_status == 0, result.stderr
    for domain in ("core", "inventory", "hr"):
        result = call("seed_domain", domain)
        assert result.exit_status == 0, result.stderr

    assert on_nodes(database, OWNERS, "hr", "hr", "hr") == [[(role("hr"),)]] * 3
    assert query("SELECT count(*) > 0 FROM hr.positions") == [(True,)]
    assert call("verify_domain", "hr").exit_status == 0


def test_a_role_that_is_created_before_its_distributed_schema_has_tables(
    citus_cluster: CitusServers, citus_database: str
) -> None:
    execute(f'ALTER DATABASE "{citus_database}" SET citus.enable_schema_based_sharding = on')
    connections["default"].close()
    try:
        assert call("migrate_domain", "core").exit_status == 0
        assert call("grant_domain", "hr", apply=True).exit_status == 0

        result = call("migrate_domain", "hr")

        assert result.exit_status == 0, result.stdout + result.stderr
        assert on_nodes(citus_cluster, OWNERS, "hr", "hr", "hr") == [[(role("hr"),)]] * 3
        referred = "SELECT repmodel FROM pg_dist_partition WHERE logicalrelid = 'users'::regclass"
        assert query(referred) == [("t",)]
    finally:
        call("grant_domain", "hr", remove=True)


def test_a_role_from_before_the_cluster_may_log_in_now(database: CitusServers) -> None:
    execute(f'CREATE ROLE "{role("hr")}" NOLOGIN')
    assert call("grant_domain", "hr", apply=True).exit_status == 0
    can_log_in = "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s"
    assert on_nodes(database, can_log_in, role("hr")) == [[(True,)]] * 3


def test_removed_roles_leave_nothing_on_any_node(database: CitusServers) -> None:
    started = on_nodes(database, STARTED)
    before = on_nodes(database, OWNERS, "hr", "hr", "hr")
    assert call("grant_domain", apply=True).exit_status == 0

    for _ in range(2):
        result = call("grant_domain", remove=True)
        assert result.exit_status == 0, result.stderr

    assert on_nodes(database, OWNERS, "hr", "hr", "hr") == before
    name = connections["default"].settings_dict["NAME"]
    assert on_nodes(database, ROLES, name) == [[]] * 3
    assert on_nodes(database, "SELECT count(*) FROM pg_default_acl") == [[(0,)]] * 3
    assert on_nodes(database, STARTED) == started
