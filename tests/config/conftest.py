"""A copy of the project's configuration in a folder of its own, and an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.embedded.account import Account as ServerAccount
from config.embedded.programs import packaged_folder, usable_programs
from tests.config.processes import Account
from tests.support import servers
from tests.support.commands import ROOT, run_manage

# An ordinary user cannot become another, so what only root meets is no test of theirs.
collect_ignore = [] if os.geteuid() == 0 else ["test_embedded_root.py"]

LINKED = ("domain_migrations", "core", "inventory", "hr", "finance")


def copy_project(target: Path) -> Path:
    """The project as it is, with its own configuration but nothing of this machine's."""
    target.mkdir(parents=True)
    shutil.copytree(ROOT / "config", target / "config")
    shutil.copy(ROOT / "manage.py", target)
    for name in LINKED:
        (target / name).symlink_to(ROOT / name)
    return target


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A temporary folder that others may enter, as a server's account must; tmp_path is closed."""
    folder = Path(tempfile.mkdtemp(prefix="test-embedded-", dir=servers.memory()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def copied_project(open_path: Path) -> Path:
    return copy_project(open_path / "project")


@pytest.fixture
def manage_copy(copied_project: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`manage_copy(*args, **env)`: run the copy's manage.py with nothing configured but `env`."""

    def run(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        return run_manage(*arguments, environment=environment, folder=copied_project)

    return run


@pytest.fixture
def ordinary_user(open_path: Path) -> Account:
    """An ordinary user: ourselves, or nobody when we are root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), packaged_folder())
    nobody = pwd.getpwnam("nobody")
    server = ServerAccount(nobody.pw_uid, nobody.pw_gid)
    reachable = usable_programs(packaged_folder(), server, open_path)
    return Account(nobody.pw_uid, nobody.pw_gid, reachable.folder)
