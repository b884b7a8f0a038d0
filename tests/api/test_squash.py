"""Halves of transfers cannot be squashed; what comes before and after them can."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import exchange
from tests.support.catalog import query
from tests.support.projects import Project, write_project
from tests.support.servers import TestServer


@pytest.fixture
def project(scratch_database: str, postgres_server: TestServer, tmp_path: Path) -> Project:
    """A project in which `lab` has given a table to core, on an empty database."""
    return write_project(
        tmp_path / "project",
        exchange.files("to core", moved=True, later=True),
        database={**postgres_server.settings, "NAME": scratch_database},
    )


@pytest.mark.parametrize(
    ("arguments", "message", "parts"),
    [
        (
            ("lab", "0004"),
            "lab.0003_transfer_company cannot be squashed: it transfers the table of Company"
            " together with shop.0003_receive_company.",
            "here up to 0002_more, or from 0004_later on.",
        ),
        (
            ("shop", "0002", "0003"),
            "shop.0003_receive_company cannot be squashed: it receives the table of Company"
            " together with lab.0003_transfer_company.",
            "here up to 0002_more.",
        ),
        (
            ("lab", "0003", "0004"),
            "lab.0003_transfer_company cannot be squashed",
            "here from 0004_later on.",
        ),
        (
            ("lab", "0003", "0003"),
            "lab.0003_transfer_company cannot be squashed",
            "Leave it as it is.",
        ),
    ],
)
def test_a_half_is_refused(
    project: Project, arguments: tuple[str, ...], message: str, parts: str
) -> None:
    files = sorted(project.path.rglob("*.py"))
    result = project.manage("squashmigrations", *arguments, "--noinput")
    assert result.returncode == 1
    assert message in result.stderr
    assert parts in result.stderr
    assert sorted(project.path.rglob("*.py")) == files


def test_what_django_refuses_is_left_to_it(project: Project) -> None:
    for name, message in (
        ("0009", "Cannot find a migration matching '0009'"),
        ("0", "More than one migration matches '0'"),
    ):
        result = project.manage("squashmigrations", "lab", name, "--noinput")
        assert result.returncode == 1
        assert message in result.stderr


def test_what_comes_before_and_after_can_be_squashed(project: Project) -> None:
    for app in exchange.SCHEMAS:
        squashed = project.manage("squashmigrations", app, "0002", "--noinput")
        assert squashed.returncode == 0, squashed.stderr
    squashed = project.manage("squashmigrations", "lab", "0004", "0004", "--noinput")
    assert squashed.returncode == 0, squashed.stderr
    migrated = project.manage("migrate_domain", "--all")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    names = {name for (name,) in query("SELECT name FROM lab.django_migrations_lab")}
    assert names >= {
        "0001_squashed_0002_more",
        "0003_transfer_company",
        "0004_later_squashed_0004_later",
    }
    assert query("SELECT schemaname FROM pg_tables WHERE tablename = 'companies'") == [("public",)]


@pytest.mark.parametrize("app", ["lab", "shop"])
def test_e026__squashed(project: Project, app: str) -> None:
    """As Django's own command does it."""
    script = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.core.management.commands.squashmigrations import Command\n"
        f"call_command(Command(), {app!r}, '0004', interactive=False, verbosity=0)\n"
    )
    project.write("squash.py", script)
    project.python("squash.py")
    verb = "transfers" if app == "lab" else "receives"
    name = f"{app}.0001_squashed_0004_later"
    for command in (("check",), ("showmigrations",), ("migrate_domain", "--all")):
        result = project.manage(*command)
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert (
            f"Migration {name} cannot be run: {name} is squashed, which a migration that {verb} a"
            " table cannot be."
        ) in result.stderr
        assert f"Delete the file of {name}, and squash what comes before or after" in result.stderr
    assert query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
