"""The command, a worker and the coordinator killed at random moments: nothing is half done."""

from __future__ import annotations

import pytest

from tests.support import cluster, distribution, killed
from tests.support.cluster import CitusServers

pytestmark = [pytest.mark.citus, pytest.mark.slow_stress]

DOMAINS = ["finance", "hr", "inventory"]
COMMAND = ("distribute_domain", "--all", "--noinput")


@pytest.fixture(params=killed.NODES)
def victim(request: pytest.FixtureRequest, citus_cluster: CitusServers) -> str:
    if request.param != "command" and not citus_cluster.is_ours:
        pytest.skip(f"Only servers of {cluster.PROGRAMS} are killed, not those of {cluster.URL}.")
    return request.param


def test_nothing_is_half_done(
    citus_cluster: CitusServers,
    stress_size: str,
    victim: str,
    django_db_blocker: object,
) -> None:
    def once(seconds: float) -> None:
        with cluster.connected(
            citus_cluster, django_db_blocker, template=cluster.MIGRATED
        ) as database:
            kill_one(citus_cluster, database, victim, seconds)

    killed.in_rounds(victim, 20 if stress_size == "full" else 2, once)


def kill_one(servers: CitusServers, database: str, victim: str, seconds: float) -> None:
    with servers.coordinator.connect(database) as session:
        rows, sequences = distribution.rows(session), distribution.sequences(session)
        triggers = distribution.triggers(session)
        # A copied database keeps its sequences' `log_cnt`: the numbers that they give before a
        # checkpoint are in no WAL, and a crash takes them back.
        session.execute("CHECKPOINT")

    status, output = killed.run_killed(servers, database, victim, seconds, *COMMAND)

    with servers.coordinator.connect(database) as session:
        found = distribution.distributed_schemas(session)
        assert found in ([], DOMAINS), (seconds, output)
        assert "Nothing was changed" not in output or found == [], output
        assert distribution.rows(session) == rows
        assert distribution.sequences(session) == sequences
        assert distribution.triggers(session) == triggers
    again = killed.start(servers.environment(database), *COMMAND)
    output_again, _ = again.communicate()
    assert again.returncode == 0, (seconds, output_again)
    with servers.coordinator.connect(database) as session:
        assert distribution.distributed_schemas(session) == DOMAINS
        assert distribution.rows(session) == rows
        assert distribution.sequences(session) == sequences
        assert distribution.triggers(session) == triggers
        assert distribution.local_rows(session) == []
    assert status in killed.STATUSES, (seconds, status, output)
    assert "Traceback" not in output
