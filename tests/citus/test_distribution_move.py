"""The states of triggers, which no copied row fires, on the coordinator and on the shards."""

from __future__ import annotations

import pytest
from django.db import connections

from domain_migrations.api import DistributeOptions
from domain_migrations.api.distribute.distribution_result import DistributeReporter
from domain_migrations.api.distribute.move import DistributionMove
from domain_migrations.api.distribute.plan import plan_distribution
from domain_migrations.domains import CORE, get_domain
from domain_migrations.engine.cluster.cluster import read_cluster
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.engine.sessions.session import locked_session
from tests.support import distribution
from tests.support.cluster import CitusServers

pytestmark = pytest.mark.citus

TABLE = """
CREATE SCHEMA hr;
CREATE TABLE hr.wards (id bigint PRIMARY KEY, fired int NOT NULL DEFAULT 0);
INSERT INTO hr.wards VALUES (1), (2);
CREATE TABLE public.wards (id bigint PRIMARY KEY, fired int NOT NULL DEFAULT 0);
INSERT INTO public.wards VALUES (1);
CREATE FUNCTION hr.count_firing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.fired := NEW.fired + 1; RETURN NEW; END $$;
"""
TRIGGER = """
CREATE TRIGGER {name} BEFORE INSERT ON hr.wards FOR EACH ROW EXECUTE FUNCTION hr.count_firing();
ALTER TABLE hr.wards {action} TRIGGER {name};
"""
ACTIONS = {"D": "DISABLE", "O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


def distribute() -> None:
    hr = get_domain("hr")
    with locked_session("default", get_domain(CORE), wait=0, report=print) as lock:
        cluster = read_cluster(lock.connection)
        assert cluster is not None
        plan = plan_distribution(lock.connection, cluster, [hr])
        DistributionMove(
            lock, plan, [hr], DistributeOptions(), DistributeReporter(), RunContext()
        ).run()


def test_triggers_keep_their_states(citus_database: str, citus_cluster: CitusServers) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(TABLE)
        for state, action in ACTIONS.items():
            cursor.execute(TRIGGER.format(name=f"state_{state.lower()}", action=action))

    distribute()

    states = {f"wards.state_{state.lower()}": state for state in ACTIONS}
    nodes = [node.connect(citus_database) for node in citus_cluster.nodes]
    try:
        coordinator, *workers = nodes
        assert distribution.triggers(coordinator) == states
        found = [distribution.shard_triggers(worker, "hr") for worker in workers]
        assert sorted(found, key=len) == [{}, states]
        rows = coordinator.execute("SELECT id, fired FROM hr.wards ORDER BY id").fetchall()
        assert rows == [(1, 0), (2, 0)]
        coordinator.execute("INSERT INTO hr.wards VALUES (3)")
        fired = coordinator.execute("SELECT fired FROM hr.wards WHERE id = 3").fetchone()
        assert fired == (2,)  # By the two that are enabled.
        assert distribution.distributed_schemas(coordinator) == ["hr"]
        assert coordinator.execute("SELECT * FROM public.wards").fetchall() == [(1, 0)]
    finally:
        for node in nodes:
            node.close()
