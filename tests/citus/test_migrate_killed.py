"""A migrating command, a worker and the coordinator killed: histories and catalogs agree."""

from __future__ import annotations

import pytest

from tests.support import cluster, killed
from tests.support.cluster import CitusServers

pytestmark = [pytest.mark.citus, pytest.mark.slow_stress]

UP = ("migrate_domain", "hr", "--noinput")
DOWN = ("migrate_domain", "hr", "zero", "--noinput")
PREPARED = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("victim", killed.NODES)
def test_histories_and_catalogs_agree(
    citus_cluster: CitusServers,
    stress_size: str,
    victim: str,
    direction: str,
    django_db_blocker: object,
) -> None:
    if victim != "command" and not citus_cluster.is_ours:
        pytest.skip(f"Only servers of {cluster.PROGRAMS} are killed, not those of {cluster.URL}.")

    def once(seconds: float) -> None:
        with cluster.connected(
            citus_cluster, django_db_blocker, template=cluster.DISTRIBUTED
        ) as database:
            kill_one(citus_cluster, database, victim, direction, seconds)

    killed.in_rounds(victim, 10 if stress_size == "full" else 1, once, longest=8.0)


def kill_one(
    servers: CitusServers, database: str, victim: str, direction: str, seconds: float
) -> None:
    command = DOWN if direction == "down" else UP
    if direction == "up":
        succeed(servers, database, *DOWN)
    status, output = killed.run_killed(servers, database, victim, seconds, *command)
    recover(servers, database)
    succeed(servers, database, "verify_domain", "hr", "--only", "drift")
    succeed(servers, database, *command)
    succeed(servers, database, *UP)
    succeed(servers, database, "verify_domain", "hr")
    assert status in killed.STATUSES, (seconds, status, output)
    assert "Traceback" not in output, output


def recover(servers: CitusServers, database: str) -> None:
    """Finish what was prepared on nodes, as Citus' daemon does every minute."""
    with servers.coordinator.connect(database) as session:
        session.execute("SELECT recover_prepared_transactions()")
    for node in servers.workers:
        with node.connect(database) as session:
            assert session.execute(PREPARED).fetchone() == (0,)


def succeed(servers: CitusServers, database: str, *arguments: str) -> None:
    run = killed.start(servers.environment(database), *arguments)
    output, _ = run.communicate()
    assert run.returncode == 0, (arguments, output)
