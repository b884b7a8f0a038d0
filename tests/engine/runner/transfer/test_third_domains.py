"""A table leaves core: other domains convert their foreign keys to it before, in any order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.runner.transfer.conftest import SLOW, Exchange, Templates
from tests.support import exchange
from tests.support.catalog import execute, query
from tests.support.exchange import AUTO, MIGRATION, Way
from tests.support.projects import write_project
from tests.support.servers import TestServer

BED = """
from domain_migrations.fields import DomainReference

class Bed(models.Model):
    {field}
    class Meta:
        db_table = '"ward"."beds"'
"""
BEFORE = 'company = models.ForeignKey("shop.Company", models.PROTECT)'
AFTER = 'company_id = DomainReference("lab.Company", db_index=True)'
CREATE = (
    f'migrations.CreateModel("Bed", [{AUTO} ("company", models.ForeignKey("shop.Company",'
    " models.PROTECT))], options={'db_table': '\"ward\".\"beds\"'}),"
)
CONVERT = """
from domain_migrations.fields import DomainReference
from domain_migrations.operations import ConvertToReference
""" + MIGRATION.format(
    initial="",
    dependencies='("ward", "0002_more")',
    operations='ConvertToReference("Bed", "company", DomainReference("lab.Company",'
    " db_index=True, id_field=models.BigIntegerField())),",
)
NEEDED = '("ward", "0003_bed_company_to_reference")'
NAME = "ward.0003_bed_company_to_reference"
KEYS = """
SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'ward.beds'::regclass
"""


def _files(*, moved: bool, later: bool = False) -> dict[str, dict[str, str]]:
    files = exchange.files("to the domain", moved=moved, later=later)
    ward, shop = files["ward"], files["shop"]
    ward["models.py"] += BED.format(field=AFTER if moved else BEFORE)
    ward["migrations/0001_initial.py"] = ward["migrations/0001_initial.py"].replace(
        "operations = [", f"operations = [{CREATE}"
    )
    ward["migrations/0001_initial.py"] = ward["migrations/0001_initial.py"].replace(
        "dependencies = [", 'dependencies = [("shop", "0001_initial"), '
    )
    if moved:
        ward["migrations/0003_bed_company_to_reference.py"] = (
            "from django.db import migrations, models\n" + CONVERT
        )
        name = "migrations/0003_transfer_company.py"
        shop[name] = shop[name].replace("dependencies = [", f"dependencies = [{NEEDED}, ")
    if later:
        ward.pop("migrations/0003_later.py")
    return files


@pytest.fixture
def way() -> Way:
    return "to the domain"


@pytest.fixture
def empty(scratch_database: str, postgres_server: TestServer, tmp_path: Path) -> Exchange:
    """The projects, and an empty database."""
    database = {**postgres_server.settings, "NAME": scratch_database}
    releases = {
        "before": _files(moved=False),
        "after": _files(moved=True),
        "later": _files(moved=True, later=True),
    }
    found = {
        name: write_project(tmp_path / name, files, database=database)
        for name, files in releases.items()
    }
    return Exchange("to the domain", **found)


@pytest.fixture
def filled(empty: Exchange, templates: Templates) -> Exchange:
    def fill() -> None:
        empty.with_rows()
        execute(
            "INSERT INTO ward.beds (company_id) VALUES (1), (2);"
            "CREATE SCHEMA other; CREATE TABLE other.beds (company_id bigint);"
        )

    templates.fill("third domains", fill)
    return empty


def _check(found: Exchange, *, rows: bool = True) -> None:
    assert found.place() == "lab"
    assert query(KEYS) == [(0,)]
    if rows:
        assert query("SELECT company_id FROM ward.beds ORDER BY 1") == [(1,), (2,)]
    checked = found.after.manage("makemigrations", "--check", "--dry-run")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _applied(results: list[dict[str, Any]]) -> set[str]:
    return {f"{step['app']}.{step['name']}" for one in results for step in one["applied"]}


@pytest.mark.parametrize("domain", ["core", "lab"])
def test_a_run_says_which_domain_converts_first(filled: Exchange, domain: str) -> None:
    (result,) = filled.run(filled.after, domain, status=1)
    own, other = ("shop.0003_transfer_company", "lab.0003_receive_company")
    first, second = (own, other) if domain == "core" else (other, own)
    assert result["error"]["message"] == (
        f"{first} runs together with {second}, which needs {NAME} of ward, which is not applied."
    )
    assert result["error"]["hint"] == (
        "Run: manage.py migrate_domain ward, and then this command again, or: manage.py"
        " migrate_domain --all"
    )
    assert filled.place() == "public"
    filled.run(filled.after, "ward")
    assert query(KEYS) == [(0,)]
    filled.run(filled.after, domain)
    _check(filled)


@pytest.mark.parametrize(
    "arguments", [("--all",), pytest.param(("--all", "--jobs", "2"), marks=SLOW)]
)
def test_all_domains_go_on_until_everything_is_applied(
    filled: Exchange, arguments: tuple[str, ...]
) -> None:
    results = filled.run(filled.later, *arguments)
    assert _applied(results) == {
        NAME,
        "shop.0003_transfer_company",
        "lab.0003_receive_company",
        "shop.0004_later",
        "lab.0004_later",
    }
    _check(filled)


def test_stock_migrate_goes_on_too(filled: Exchange) -> None:
    done = filled.after.manage("migrate", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    _check(filled)


@pytest.mark.parametrize(
    "arguments", [("--all",), pytest.param(("--all", "--jobs", "2"), marks=SLOW)]
)
def test_a_new_database(empty: Exchange, arguments: tuple[str, ...]) -> None:
    empty.run(empty.after, *arguments)
    _check(empty, rows=False)


@pytest.mark.parametrize("trial", [pytest.param("--dry-run", marks=SLOW), "--rehearse"])
def test_trials_of_all_domains(filled: Exchange, trial: str) -> None:
    filled.run(filled.after, "--all", trial)
    assert filled.place() == "public"
    assert query(KEYS) == [(1,)]


def test_the_conversion_is_reverted_after_the_pair_only(filled: Exchange) -> None:
    filled.run(filled.after, "--all")
    (result,) = filled.run(filled.after, "ward", "0002_more", status=1)
    assert result["error"]["message"] == (
        'shop.0003_transfer_company of core depends on what would be reverted in the domain "ward".'
    )
    assert query(KEYS) == [(0,)]
    filled.back("core")
    assert filled.place() == "public"
    filled.run(filled.after, "ward", "0002_more")
    assert query(KEYS) == [(1,)]
    assert query("SELECT company_id FROM ward.beds ORDER BY 1") == [(1,), (2,)]
    filled.run(filled.after, "--all")
    _check(filled)


def test_other_domains_are_proved_alone(filled: Exchange) -> None:
    for project in (filled.before, filled.after):
        done = project.manage("prove_domain", "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr


def test_only_a_half_of_a_table_of_core_may_depend_on_a_third_domain(
    filled: Exchange,
) -> None:
    path = filled.after.path / "shop/migrations/0002_more.py"
    path.write_text(path.read_text().replace("dependencies = [", f"dependencies = [{NEEDED}, "))
    done = filled.after.manage("check")
    assert done.returncode == 1
    assert "domain_migrations.E017" in done.stderr
