"""The embedded server, used by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.embedded.home import SOCKET_PATH_LIMIT, Home
from tests.config.processes import Account, User, is_up, kill_server, server_pid, wait_for

SLOW = pytest.mark.slow_stress


@pytest.fixture
def folder(open_path: Path) -> Path:
    return open_path / "postgres"


def modes_of_parents(path: Path) -> list[int]:
    return [parent.stat().st_mode for parent in path.parents]


def test_server__is_private_and_utf8(folder: Path) -> None:
    parents = modes_of_parents(folder)
    with User(folder).ready() as user:
        assert user.query("SHOW listen_addresses") == ""
        assert user.query("SHOW unix_socket_permissions") == "0700"
        assert user.query("SHOW server_encoding") == "UTF8"
        assert user.query("SELECT datlocprovider::text || datlocale FROM pg_database LIMIT 1") == (
            "bC.UTF-8"
        )
        assert Home(folder).socket_folder.stat().st_mode & 0o777 == 0o700
        assert Home(folder).data.stat().st_mode & 0o777 == 0o700
    assert modes_of_parents(folder) == parents


def test_server__last_user_stops_it(folder: Path) -> None:
    with User(folder).ready() as first, User(folder).ready() as second:
        first.leave()
        assert second.query("SELECT 1") == "1"
        assert is_up(folder)
        second.leave()
        assert not is_up(folder)


def test_server__keeps_data(folder: Path) -> None:
    with User(folder).ready() as user:
        user.query("CREATE TABLE kept AS SELECT 7 AS n")
    with User(folder).ready() as user:
        assert user.query("SELECT n FROM kept") == "7"


def test_server__several_at_once_from_cold(folder: Path) -> None:
    users = [User(folder) for _ in range(4)]
    assert {
        user.ready().query("SELECT pg_postmaster_start_time()") for user in users
    }.__len__() == 1
    for user in users:
        user.leave()
    assert not is_up(folder)


@pytest.mark.parametrize(
    "name", [pytest.param("with space", marks=SLOW), "with 'quotes\" and $HOME, `x` ü"]
)
def test_server__path_with_odd_characters(open_path: Path, name: str) -> None:
    folder = open_path / name / ".postgres"
    folder.parent.mkdir()
    with User(folder).ready() as user:
        assert user.query("SELECT 1") == "1"
    assert not is_up(folder)


def test_server__path_too_long_for_a_socket(open_path: Path) -> None:
    folder = open_path / ("x" * SOCKET_PATH_LIMIT) / ".postgres"
    folder.parent.mkdir()
    with User(folder).ready() as first, User(folder).ready() as second:
        short = Home(folder).socket_folder
        assert len(str(short)) < 60
        assert short.stat().st_mode & 0o777 == 0o700
        assert first.query("SELECT 1") == second.query("SELECT 1") == "1"
    assert not short.exists()


def test_server__killed(folder: Path) -> None:
    with User(folder).ready() as user:
        user.query("CREATE TABLE kept AS SELECT 7 AS n")
        pid = server_pid(folder)
        kill_server(folder)
        assert user.ask("ensure") == "ready"
        assert server_pid(folder) != pid
        assert user.query("SELECT n FROM kept") == "7"
    assert not is_up(folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=SLOW)])
def test_user__killed(folder: Path, number: signal.Signals) -> None:
    with User(folder).ready() as user:
        user.process.send_signal(number)
        user.process.wait()
    assert is_up(folder)
    with User(folder).ready() as user:
        assert user.query("SELECT 1") == "1"
    assert not is_up(folder)


def test_user__killed_while_making_the_data(folder: Path) -> None:
    with User(folder) as user:
        wait_for(lambda: any(folder.glob("initdb-*/base")))
        user.kill()
    assert not Home(folder).data.exists()
    with User(folder).ready() as user:
        assert user.query("SELECT 1") == "1"
    # The killed one's initdb may have gone on for a moment.
    with User(folder).ready():
        assert not any(folder.glob("initdb-*"))


def test_server__process_id_reused(folder: Path) -> None:
    """A killed server's postmaster.pid names a process that lives, and is not a server."""
    with User(folder).ready() as user:
        assert user.query("SELECT 1") == "1"
        kill_server(folder)
        user.kill()
    wait_for(lambda: not is_up(folder))
    owner = (Home(folder).data / "PG_VERSION").stat()
    drop = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **drop) as stranger:
        pid_file = Home(folder).data / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        try:
            with User(folder).ready() as user:
                assert user.query("SELECT 1") == "1"
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_user__forked_child_outlives_its_parent(folder: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    with User(folder, str(answer)).ready() as user:
        user.ask("fork SELECT 1")
        user.leave()
    wait_for(answer.exists)
    wait_for(lambda: answer.read_text() == "1")
    wait_for(lambda: not is_up(folder))


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "xx_XX.nonsense", "LANG": "nonsense"},
        {"PGHOST": "db.invalid", "PGPORT": "1", "PGUSER": "x", "PGDATA": "/nowhere"},
        pytest.param({"PGDATABASE": "nonsense", "PGCLIENTENCODING": "LATIN1"}, marks=SLOW),
    ],
    ids=["locale", "connection", "database"],
)
def test_server__bent_environment(folder: Path, environment: Mapping[str, str]) -> None:
    with User(folder, environment=environment).ready() as user:
        assert user.query("SHOW server_encoding") == "UTF8"


def test_server__ordinary_user(open_path: Path, ordinary_user: Account) -> None:
    parent = open_path / "own"
    parent.mkdir()
    os.chown(parent, ordinary_user.uid, ordinary_user.gid)
    folder = parent / ".postgres"
    with User(folder, account=ordinary_user).ready() as user:
        assert user.query("SELECT 1") == "1"
        assert Home(folder).data.stat().st_uid == parent.stat().st_uid
    assert not is_up(folder)
    # Root may use it in between, and takes nothing away from its owner.
    with User(folder).ready() as user:
        assert user.query("SELECT 1") == "1"
    with User(folder, account=ordinary_user).ready() as user:
        assert user.query("SELECT 1") == "1"


def test_folder__cannot_be_made(open_path: Path, ordinary_user: Account) -> None:
    parent = open_path / "closed"
    parent.mkdir(mode=0o555)
    with User(parent / ".postgres", account=ordinary_user) as user:
        assert user.refusal() == (
            f"The folder {parent}/.postgres for the embedded PostgreSQL cannot be created: "
            "Permission denied. Make it writable, or set DATABASE_URL to a PostgreSQL server."
        )


def test_folder__read_only(open_path: Path, ordinary_user: Account) -> None:
    folder = open_path / ".postgres"
    folder.mkdir(mode=0o555)
    os.chown(folder, ordinary_user.uid, ordinary_user.gid)
    with User(folder, account=ordinary_user) as user:
        assert user.refusal() == (
            f"The folder {folder} for the embedded PostgreSQL is read-only. Make it writable, or "
            "set DATABASE_URL to a PostgreSQL server."
        )


def test_folder__made_by_another_version(folder: Path) -> None:
    with User(folder).ready():
        pass
    (Home(folder).data / "PG_VERSION").write_text("9\n")
    with User(folder) as user:
        assert user.refusal() == (
            f"The folder {folder} was created by PostgreSQL 9, and the installed one is 18: remove "
            "the folder with its databases, or set DATABASE_URL to a PostgreSQL server."
        )


def test_server__cannot_start(folder: Path) -> None:
    with User(folder).ready():
        pass
    with (Home(folder).data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with User(folder) as user:
        _, errors = user.process.communicate(timeout=60)
    assert f"stopped while it was starting; its log {folder}/server.log ends:" in errors
    assert 'unrecognized configuration parameter "no_such_setting"' in errors
    assert not is_up(folder)
