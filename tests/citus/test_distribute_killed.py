"""The command, a worker and the coordinator killed at random moments: nothing is half done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from tests.support import cluster, distribution
from tests.support.cluster import CitusServers, NodeServer
from tests.support.commands import ROOT, process_environment

pytestmark = [pytest.mark.citus, pytest.mark.slow_stress]

DOMAINS = ["finance", "hr", "inventory"]
WHOLE = 12.0
"""Seconds that a run takes on a busy machine, with its start."""
NODES = ["command", "worker", "coordinator"]


@pytest.fixture(params=NODES)
def victim(request: pytest.FixtureRequest, citus_cluster: CitusServers) -> str:
    if request.param != "command" and not citus_cluster.is_ours:
        pytest.skip(f"Only servers of {cluster.PROGRAMS} are killed, not those of {cluster.URL}.")
    return request.param


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "distribute_domain", "--all", "--noinput"],
        cwd=ROOT,
        env=process_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_server(node: NodeServer) -> None:
    """Kill the server as a power failure would; its processes end with it."""
    pid = int((node.server.home.data / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(pid, signal.SIGKILL)


def test_nothing_is_half_done(
    citus_cluster: CitusServers,
    migrated_cluster_template: str,
    stress_size: str,
    victim: str,
    django_db_blocker: object,
) -> None:
    rounds = 20 if stress_size == "full" else 2
    chance = random.Random(victim)
    for number in range(rounds):
        with cluster.connected(
            citus_cluster, django_db_blocker, template=migrated_cluster_template
        ) as database:
            kill_one(citus_cluster, database, victim, chance.uniform(1.0, WHOLE))
        print(f"{victim} {number + 1} of {rounds}")


def kill_one(citus_cluster: CitusServers, database: str, victim: str, seconds: float) -> None:
    with citus_cluster.coordinator.connect(database) as session:
        rows, sequences = distribution.rows(session), distribution.sequences(session)
        triggers = distribution.triggers(session)
    run = start(citus_cluster.environment(database))
    time.sleep(seconds)
    if victim == "command":
        run.kill()
    elif victim == "worker":
        kill_server(citus_cluster.workers[0])
    else:
        kill_server(citus_cluster.coordinator)
    output, _ = run.communicate()
    assert run.returncode in (0, 75, -signal.SIGKILL), (seconds, run.returncode, output)
    wait_for(citus_cluster)
    with citus_cluster.coordinator.connect(database) as session:
        wait_until_alone(session)
        found = distribution.distributed_schemas(session)
        assert found in ([], DOMAINS), (seconds, output)
        assert "Nothing was changed" not in output or found == [], output
        assert distribution.rows(session) == rows
        assert distribution.sequences(session) == sequences
        assert distribution.triggers(session) == triggers

    again = start(citus_cluster.environment(database))
    output, _ = again.communicate()

    assert again.returncode == 0, (seconds, output)
    with citus_cluster.coordinator.connect(database) as session:
        assert distribution.distributed_schemas(session) == DOMAINS
        assert distribution.rows(session) == rows
        assert distribution.sequences(session) == sequences
        assert distribution.triggers(session) == triggers
        assert distribution.local_rows(session) == []


def wait_for(citus_cluster: CitusServers) -> None:
    """Start what was killed, once the killed server's processes have gone."""
    deadline = time.monotonic() + 60
    for node in citus_cluster.nodes:
        while time.monotonic() < deadline:
            try:
                citus_cluster.start()
                node.connect().close()
                break
            except psycopg.OperationalError:
                time.sleep(0.2)


def wait_until_alone(session: psycopg.Connection) -> None:
    """Wait until the killed run's session has ended on the coordinator."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'distribute_domain%'"
    )
    while session.execute(others).fetchone() != (0,):
        time.sleep(0.1)
