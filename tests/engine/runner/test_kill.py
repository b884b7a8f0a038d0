"""kill -9 of the migrating process: the next run completes it, or names the repair."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from domain_migrations.engine.sources.files import migrations_on_disk
from tests.engine.runner.reference import Reference, finish, reference, times_done
from tests.support.catalog import query
from tests.support.commands import ROOT, process_environment
from tests.support.servers import TestServer
from tests.support.sessions import advisory_locks, other_session, until

SEED = 2568
KILLS = {"short": 8, "full": 30}
BEFORE_INDEX, INDEX = 12, 13
LAST = len(migrations_on_disk(("inventory",)))

BUILDING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND query LIKE 'CREATE INDEX CONCURRENTLY%'
"""


@pytest.fixture(scope="module")
def history(
    postgres_server: TestServer, django_db_blocker: Any, pytestconfig: pytest.Config
) -> Iterator[Reference]:
    stages = None if pytestconfig.getoption("--stress") else [BEFORE_INDEX, INDEX, LAST]
    with django_db_blocker.unblock(), reference(postgres_server, stages) as made:
        yield made


@contextmanager
def migrating(history: Reference) -> Iterator[subprocess.Popen[bytes]]:
    """A process that migrates inventory, given away when it has its lock."""
    database = connections["default"].settings_dict["NAME"]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "migrate_domain", "inventory", "--noinput"],
        cwd=ROOT,
        env=process_environment(
            {**history.server.environment(database), "DOMAIN_SNAPSHOTS": "off"}
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(advisory_locks)
        yield process
    finally:
        process.kill()
        process.wait()


def assert_finished(history: Reference) -> None:
    """As if nothing had happened: all is applied, once, and nobody holds a lock."""
    finish(LAST, history)
    history.assert_finished(LAST, most=LAST)
    assert times_done() == dict.fromkeys(history.names, 1)
    assert advisory_locks() == 0


@pytest.mark.slow_stress
def test_kill_at_random_moments(history: Reference, stress_size: str) -> None:
    kills = KILLS[stress_size]
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with history.copy(0), migrating(history) as process:
        begun = time.monotonic()
        assert process.wait() == 0
        usual = time.monotonic() - begun
    reached = []
    for _ in range(kills):
        with history.copy(0):
            with migrating(history) as process:
                time.sleep(chance.uniform(0, usual))
                process.kill()
            until(lambda: advisory_locks() == 0)
            reached.append(history.assert_consistent(whole=False))
            assert_finished(history)
    assert len(set(reached)) > 2, reached


@pytest.mark.parametrize(
    "orphan", ["goes on", pytest.param("is terminated", marks=pytest.mark.slow_stress)]
)
def test_kill_while_an_index_is_built_concurrently(history: Reference, orphan: str) -> None:
    with history.copy(BEFORE_INDEX) as name:
        busy = "LOCK TABLE inventory.drugs IN ROW EXCLUSIVE MODE"
        with other_session(history.server, name, busy), migrating(history) as process:
            until(lambda: query(BUILDING))
            process.kill()
            process.wait()
            if orphan == "is terminated":
                query("SELECT pg_terminate_backend(pid) FROM (" + BUILDING.strip() + ") AS b")
                until(lambda: advisory_locks() == 0)
                assert _index_is_valid() is False
        assert history.assert_consistent(whole=False) == BEFORE_INDEX
        assert_finished(history)
        assert _index_is_valid()


def _index_is_valid() -> bool | None:
    rows = query(
        "SELECT indisvalid FROM pg_index"
        " WHERE indexrelid = to_regclass('inventory.drugs_trade_name_idx')"
    )
    return rows[0][0] if rows else None
