"""A table that goes from domain to domain and back: lab, ward, core, lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.runner.transfer.conftest import SLOW
from tests.support import journey
from tests.support.catalog import execute, query, snapshot
from tests.support.exchange import SCHEMAS
from tests.support.journey import HALVES, STATIONS
from tests.support.projects import Project, write_project
from tests.support.servers import TestServer

Release = Callable[[int], Project]

EVERYTHING = [("migrate_domain", "--all"), ("migrate_domain", "--all", "--jobs", "2"), ("migrate",)]
BELONGINGS = """
CREATE SCHEMA other;
CREATE TABLE other.companies (id int);
CREATE TYPE lab.mood AS ENUM ('sad', 'ok');
ALTER TABLE lab.companies ADD mood lab.mood DEFAULT 'ok';
CREATE STATISTICS lab.companies_stat ON code, size FROM lab.companies;
CREATE PUBLICATION by_schema FOR TABLES IN SCHEMA lab;
INSERT INTO lab.companies (code, size) VALUES ('A', 7), ('B', 8);
"""


@pytest.fixture
def release(scratch_database: str, postgres_server: TestServer, tmp_path: Path) -> Release:
    """The project with so many moves, on one database."""

    def write(moves: int) -> Project:
        return write_project(
            tmp_path / f"moved_{moves}",
            journey.files(moves),
            database={**postgres_server.settings, "NAME": scratch_database},
        )

    return write


def _run(project: Project, *arguments: str, status: int = 0) -> str:
    result = project.manage(*arguments)
    assert result.returncode == status, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout + result.stderr


def _moves() -> int:
    """How many moves the database has seen: the histories and the table's place agree."""
    recorded = set()
    for app, schema in SCHEMAS.items():
        name = "django_migrations" if app == "shop" else f"django_migrations_{app}"
        if query("SELECT to_regclass(%s) IS NOT NULL", f"{schema}.{name}") == [(True,)]:
            recorded |= set(query(f"SELECT app, name FROM {schema}.{name}"))
    done = [{half in recorded for half in halves} for halves in HALVES]
    assert all(len(each) == 1 for each in done), done
    moves = done.count({True})
    assert done == [{number < moves} for number in range(len(HALVES))]
    places = query(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname <> 'other'"
        " AND tablename LIKE 'companies%%' ORDER BY 2"
    )
    if ("lab", "0002_company") in recorded:
        home = SCHEMAS[STATIONS[moves]]
        assert places == [(home, name) for name in journey.NAMES]
    return moves


@pytest.mark.parametrize(
    "command", [EVERYTHING[0], *(pytest.param(rest, marks=SLOW) for rest in EVERYTHING[1:])]
)
def test_an_empty_database(release: Release, command: tuple[str, ...]) -> None:
    """Core waits for a domain that waits for a domain that needs what core waits for."""
    project = release(3)
    _run(project, *command)
    assert _moves() == 3
    assert _run(project, "verify_domain").strip() == "Nothing found."
    _run(project, "makemigrations", "--check", "--dry-run")


@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=SLOW) for start in (1, 2))])
def test_from_each_station_to_the_last(release: Release, start: int) -> None:
    _run(release(start), "migrate_domain", "--all")
    home = SCHEMAS[STATIONS[start]]
    execute(BELONGINGS.replace("lab", home))
    rows = query(f"SELECT * FROM {home}.companies ORDER BY id")
    _run(release(3), *EVERYTHING[start])
    assert _moves() == 3
    assert query("SELECT * FROM lab.companies ORDER BY id") == rows
    assert (
        query(
            "SELECT stxnamespace::regnamespace::text FROM pg_statistic_ext UNION ALL"
            " SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'mood'"
        )
        == [("lab",)] * 2
    )


def test_one_domain_at_a_time_and_back(release: Release) -> None:
    """Each run goes as far as it can, and says which domain comes next."""
    project = release(3)
    _run(release(0), "migrate_domain", "--all")
    execute(BELONGINGS)
    before = snapshot(include_privileges=True)
    assert "which needs ward.0002_receive_1 of ward" in _run(
        project, "migrate_domain", "core", status=1
    )
    said = _run(project, "migrate_domain", "lab", status=1)
    assert "lab.0004_receive_3 needs shop.0002_receive_2 of core, which is not applied." in said
    assert "Run: manage.py migrate_domain core" in said
    assert _moves() == 1
    _run(project, "migrate_domain", "core")
    assert _moves() == 3
    said = _run(project, "migrate_domain", "lab", "lab.0002_company", "--noinput", status=1)
    assert "First run: manage.py migrate_domain ward 0002_receive_1" in said
    said = _run(project, "migrate_domain", "ward", "0002_receive_1", "--noinput", status=1)
    assert "First run: manage.py migrate_domain core 0002_receive_2" in said
    assert _moves() == 3
    for moves, (domain, name) in enumerate(
        [("core", "shop.0002"), ("ward", "0002"), ("lab", "0002")]
    ):
        _run(project, "migrate_domain", domain, name, "--noinput")
        assert _moves() == 2 - moves
    assert snapshot(include_privileges=True) == before
