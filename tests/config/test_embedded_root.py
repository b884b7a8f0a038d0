"""What only root meets: a server that must run as another account."""

from __future__ import annotations

import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import account
from config.embedded.errors import EmbeddedServerUnusable
from config.embedded.home import Home
from config.embedded.programs import packaged_folder, usable_programs
from tests.config.processes import Account, User, is_up


@pytest.fixture
def closed_folder(open_path: Path) -> Iterator[Path]:
    """A server's folder below one that only root may enter."""
    closed = open_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / ".postgres"
    yield folder
    if folder.is_dir():
        root = Home(folder).root
        if root != folder:
            shutil.rmtree(root)


def test_server__runs_as_another_account(open_path: Path) -> None:
    folder = open_path / "postgres"
    users = pwd.getpwall()
    with User(folder).ready() as user:
        assert user.query("SELECT 1") == "1"
        owner = pwd.getpwuid(Home(folder).data.stat().st_uid).pw_name
        assert owner in ("postgres", "nobody")
    assert pwd.getpwall() == users
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711


def test_server__below_a_closed_folder(closed_folder: Path) -> None:
    with User(closed_folder).ready() as first, User(closed_folder).ready() as second:
        root = Home(closed_folder).root
        assert not root.is_relative_to(closed_folder)
        assert stat.S_IMODE(root.stat().st_mode) == 0o711
        first.query("CREATE TABLE kept AS SELECT 7 AS n")
        assert second.query("SELECT n FROM kept") == "7"
    assert stat.S_IMODE(closed_folder.parent.stat().st_mode) == 0o700
    assert not is_up(closed_folder)
    with User(closed_folder).ready() as user:
        assert Home(closed_folder).root == root
        assert user.query("SELECT n FROM kept") == "7"


def test_server__elsewhere_was_removed(closed_folder: Path) -> None:
    with User(closed_folder).ready():
        gone = Home(closed_folder).root
    shutil.rmtree(gone)
    with User(closed_folder).ready() as user:
        assert Home(closed_folder).root != gone
        assert user.query("SELECT 1") == "1"


def test_programs__copied_when_out_of_reach(open_path: Path) -> None:
    """As for a virtual environment below /root, made with umask 077."""
    package = packaged_folder().parents[1]
    closed = open_path / "site-packages"
    closed.mkdir(mode=0o700)
    shutil.copytree(package, closed / package.name, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name)
    for path in closed.rglob("*"):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
    root = open_path / "root"
    root.mkdir(mode=0o711)
    nobody = pwd.getpwnam("nobody")
    server = account.Account(nobody.pw_uid, nobody.pw_gid)

    folder = closed / packaged_folder().relative_to(package.parent)
    programs = usable_programs(folder, server, root)

    assert programs.folder.is_relative_to(root)
    assert programs.major == 18
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert usable_programs(packaged_folder(), server, root).folder == packaged_folder()


def test_server_account__nobody_without_postgres(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = pwd.getpwnam("nobody")
    known = {"nobody": nobody}
    monkeypatch.setattr(account.pwd, "getpwnam", lambda name: known[name])
    assert account.server_account(tmp_path).uid == nobody.pw_uid


def test_server_account__neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account.pwd, "getpwnam", {}.__getitem__)
    with pytest.raises(EmbeddedServerUnusable) as caught:
        account.server_account(tmp_path)
    assert str(caught.value) == (
        "The embedded PostgreSQL cannot run as root, and neither the account postgres nor nobody "
        "exists to run it: run as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
    )


def test_folder__made_by_root_is_not_for_others(open_path: Path, ordinary_user: Account) -> None:
    folder = open_path / "postgres"
    with User(folder).ready():
        pass
    with User(folder, account=ordinary_user) as user:
        assert user.refusal() == (
            f"The folder {folder} of the embedded PostgreSQL belongs to root, and nobody cannot "
            "use it: run as root, or remove the folder with its databases, or set DATABASE_URL to "
            "a PostgreSQL server."
        )
