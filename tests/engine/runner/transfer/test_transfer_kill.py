"""A run of a pair that is killed, or that meets another one: never one half without the other."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from functools import partial

import pytest

from tests.engine.runner.transfer.conftest import CORE_FIRST, Exchange
from tests.support.commands import ROOT, process_environment
from tests.support.sessions import advisory_locks, until

SEED = 1214
LONGEST = 0.6
"""Seconds from the first lock to a kill: about as long as the rest of the run takes."""
KILLS = {None: 1, "short": 6, "full": 20}
"""The option --stress → how often each of the two directions is killed."""


def start(found: Exchange, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate_domain", *arguments, "--noinput"],
        cwd=found.after.path,
        env=process_environment({"PYTHONPATH": str(ROOT)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _has_begun(process: subprocess.Popen[bytes]) -> bool:
    return advisory_locks() > 0 or process.poll() is not None


def test_runs_of_both_sides_at_once(filled: Exchange) -> None:
    """One of them moves the table, and the other one waits and finds nothing to do."""
    both = [start(filled, domain) for domain in (filled.source, filled.target)]
    assert [process.wait() for process in both] == [0, 0]
    assert filled.place() == filled.new


@pytest.mark.parametrize("way", CORE_FIRST, indirect=True)
def test_kill_at_random_moments(filled: Exchange, pytestconfig: pytest.Config) -> None:
    kills = KILLS[pytestconfig.getoption("--stress")]
    chance = random.Random(SEED)
    back = f"{filled.apps[0]}.0002_more"
    for arguments, wanted in (((), filled.new), ((back,), filled.old)):
        for _ in range(kills):
            process = start(filled, filled.source, *arguments)
            until(partial(_has_begun, process))
            time.sleep(chance.uniform(0, LONGEST))
            process.kill()
            process.wait()
            until(lambda: advisory_locks() == 0)
            assert filled.place() in (filled.old, filled.new)
        assert start(filled, filled.source, *arguments).wait() == 0
        assert filled.place() == wanted
