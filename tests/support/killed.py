"""Servers and runs that are killed at random moments, on a cluster of the test run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg

from tests.support.cluster import CitusServers, NodeServer
from tests.support.commands import ROOT, process_environment

WHOLE = 12.0
"""Seconds that a run takes on a busy machine, with its start."""
NODES = ["command", "worker", "coordinator"]
STATUSES = (0, 75, -signal.SIGKILL)

OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND application_name ~ '^(distribute|migrate)_domain'
"""


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """A process of manage.py that runs."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=process_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_server(node: NodeServer) -> None:
    """Kill the server as a power failure would; its processes end with it."""
    assert node.server is not None
    pid = int((node.server.home.data / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(pid, signal.SIGKILL)


def run_killed(
    servers: CitusServers, database: str, victim: str, seconds: float, *arguments: str
) -> tuple[int, str]:
    """Run a command, kill the victim meanwhile, and start all servers again.

    Returns:
        The exit status and the output.
    """
    run = start(servers.environment(database), *arguments)
    try:
        time.sleep(seconds)
        if victim == "command":
            run.kill()
        elif victim == "worker":
            kill_server(servers.workers[0])
        else:
            kill_server(servers.coordinator)
        output, _ = run.communicate()
    finally:
        run.kill()
        wait_for(servers)
    with servers.coordinator.connect(database) as session:
        while session.execute(OTHERS).fetchone() != (0,):
            time.sleep(0.1)
    return run.returncode, output


def wait_for(servers: CitusServers) -> None:
    """Start what was killed, once the killed server's processes have gone."""
    deadline = time.monotonic() + 60
    for node in servers.nodes:
        while True:
            try:
                servers.start()
                node.connect().close()
                break
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def in_rounds(
    victim: str, rounds: int, once: Callable[[float], None], *, longest: float = WHOLE
) -> None:
    """Call a function with random seconds, and report all failures at the end."""
    chance = random.Random(victim)
    failures = []
    for number in range(rounds):
        seconds = chance.uniform(1.0, longest)
        try:
            once(seconds)
        except (AssertionError, psycopg.Error) as exc:
            failures.append(f"Round {number + 1}, after {seconds:.2f} s: {exc}")
            print(failures[-1])
        print(f"{victim} {number + 1} of {rounds}, {len(failures)} failed", flush=True)
    assert not failures, "\n\n".join(failures)
