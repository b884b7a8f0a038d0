"""Processes that start at once, die and kill the server, for many rounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from config.embedded.home import Home
from tests.config.processes import User, is_up, kill_server, wait_for

ROUNDS = {"short": 3, "full": 30}
USERS = 8


@pytest.mark.slow_stress
def test_server__survives_its_users(open_path: Path, stress_size: str) -> None:
    """No committed row is lost, nobody is refused, and nothing runs on at the end."""
    chance = random.Random(20261122)
    folder = open_path / "postgres"
    rows = 0
    for _ in range(ROUNDS[stress_size]):
        users = [User(folder) for _ in range(USERS)]
        # Somebody dies while all of them start.
        users.pop(chance.randrange(USERS)).kill()
        for user in users:
            user.ready()
        users[0].query("CREATE TABLE IF NOT EXISTS kept (n int)")
        for user in users:
            user.query(f"INSERT INTO kept VALUES ({rows})")
            rows += 1
        if chance.random() < 0.5:
            kill_server(folder)
        for user in users:
            assert user.ask("ensure") == "ready"
            assert user.query("SELECT count(*) FROM kept") == str(rows)
        chance.shuffle(users)
        for user in users:
            user.kill() if chance.random() < 0.3 else user.leave()
    with User(folder).ready() as user:
        assert user.query("SELECT count(DISTINCT n) FROM kept") == str(rows)
    wait_for(lambda: not is_up(folder))


@pytest.mark.slow_stress
def test_server__cold_starts_at_once(open_path: Path, stress_size: str) -> None:
    chance = random.Random(20261123)
    for number in range(ROUNDS[stress_size]):
        folder = open_path / f"postgres {number}"
        users = [User(folder) for _ in range(USERS)]
        # Somebody dies at any moment of the first start: before, in and after initdb.
        killed = users.pop(chance.randrange(USERS))
        if chance.random() < 0.5:
            wait_for(lambda folder=folder: any(folder.glob("initdb-*")) or is_made(folder))
        killed.kill()
        starts = {user.ready().query("SELECT pg_postmaster_start_time()") for user in users}
        assert len(starts) == 1
        for user in users:
            user.leave()
        assert not is_up(folder)


def is_made(folder: Path) -> bool:
    return Home(folder).data.exists()
