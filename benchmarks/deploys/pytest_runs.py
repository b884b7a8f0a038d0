"""Time that pytest needs to create the test database, with each of the available methods."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from benchmarks.deploys.measuring import Contender, Measured, measure
from benchmarks.deploys.projects import ROOT, GeneratedProject
from benchmarks.deploys.site import Site
from tests.support import databases

TEST = """\
import pytest
from django.db import connection


@pytest.mark.django_db
@pytest.mark.parametrize("turn", range(2))
def test_tables(turn):
    assert "django_content_type" in connection.introspection.table_names()
"""
SETTINGS = {
    "replayed": {"SNAPSHOTS": False},
    "restored": {},
    "templated": {"TEST_DATABASE_TEMPLATE": True},
}
MOST_FOR_STOCK = 5
"""Number of domains up to which standard Django is measured, because it is slow."""


def test_database(site: Site, domains: int, runs: int) -> list[Measured]:
    """Create the test database of pytest, in one process and in two workers."""
    ours = _with_tests(site.project("domains", domains, snapshots=True))
    # Databases that have to exist beforehand are created by unmeasured runs.
    for settings, name, *options in (
        ("templated", "copied"),
        ("templated", "kept", "--reuse-db"),
    ):
        contender = _pytest(site, ours, "", settings, name, *options)
        environment = {**os.environ, **contender.environment}
        subprocess.run(
            contender.command, cwd=ours.folder, env=environment, stdout=sys.stderr, check=True
        )
    two = ("--numprocesses", "2")
    contenders = [
        _pytest(site, ours, "replay", "replayed", "replayed"),
        _pytest(site, ours, "replay, two workers", "replayed", "replayed", *two),
        _pytest(site, ours, "snapshots", "restored", "restored"),
        _pytest(site, ours, "snapshots, two workers", "restored", "restored", *two),
        _pytest(site, ours, "template, made from snapshots", "templated", "made", forget=True),
        _pytest(site, ours, "template, copied", "templated", "copied"),
        _pytest(site, ours, "template, copied by two workers", "templated", "copied", *two),
        _pytest(site, ours, "--reuse-db, there already", "templated", "kept", "--reuse-db"),
    ]
    if domains <= MOST_FOR_STOCK:
        stock = _with_tests(site.project("stock", domains))
        contenders.append(_pytest(site, stock, "stock Django", "settings", "stock", runs=1))
    return measure(contenders, runs)


def _with_tests(project: GeneratedProject) -> GeneratedProject:
    project.folder.joinpath("test_tables.py").write_text(TEST)
    for name, values in SETTINGS.items():
        text = f"from settings import *\n\nDOMAIN_MIGRATIONS = {values}\n"
        project.folder.joinpath(f"{name}.py").write_text(text)
    return project


def _pytest(
    site: Site,
    project: GeneratedProject,
    name: str,
    settings: str,
    database: str,
    *options: str,
    forget: bool = False,
    runs: int | None = None,
) -> Contender:
    database = f"benchmark_{database}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    return Contender(
        name,
        [*command, f"--ds={settings}", *options, "test_tables.py"],
        project.folder,
        {**site.server.environment(database), "PYTHONPATH": f"{ROOT}{os.pathsep}."},
        prepare=_forgetting(site, f"test_{database}_template") if forget else lambda: None,
        runs=runs,
    )


def _forgetting(site: Site, database: str) -> Callable[[], None]:
    return lambda: databases.drop(site.server, database)
