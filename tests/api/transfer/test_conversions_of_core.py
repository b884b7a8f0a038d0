"""The command moves a table out of core, to which another domain has a foreign key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import exchange
from tests.support.catalog import execute, query
from tests.support.exchange import AUTO
from tests.support.projects import Project, write_project
from tests.support.servers import TestServer

BED = """
class Bed(models.Model):
    # Who sold it.
    company = models.ForeignKey("shop.Company", models.PROTECT, related_name="beds")
    class Meta:
        db_table = '"ward"."beds"'
"""
CREATE = (
    f'migrations.CreateModel("Bed", [{AUTO} ("company", models.ForeignKey("shop.Company",'
    " models.PROTECT, related_name='beds'))], options={'db_table': '\"ward\".\"beds\"'}),"
)
USES = """
from ward.models import Bed

def sellers():
    return Bed.objects.filter(company__code="A")
"""
KEYS = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid IN (to_regclass('public.companies'), to_regclass('lab.companies'))
    AND conrelid <> confrelid AND conrelid::regclass::text NOT LIKE '%%companies_groups'
ORDER BY 1
"""


@pytest.fixture
def shop(scratch_database: str, postgres_server: TestServer, tmp_path: Path) -> Project:
    """The project before, and its database with rows."""
    files = exchange.files("to the domain", moved=False)
    ward = files["ward"]
    ward["models.py"] += BED
    ward["uses.py"] = USES
    first = ward["migrations/0001_initial.py"]
    first = first.replace("operations = [", f"operations = [{CREATE}")
    ward["migrations/0001_initial.py"] = first.replace(
        "dependencies = [", 'dependencies = [("shop", "0001_initial"), '
    )
    database = {**postgres_server.settings, "NAME": scratch_database}
    project = write_project(tmp_path, files, database=database)
    _run(project, "migrate_domain", "--all")
    execute(exchange.ROWS.format(schema="public", app="shop"))
    execute("INSERT INTO ward.beds (company_id) VALUES (1), (2)")
    return project


def _run(project: Project, *arguments: str, status: int = 0) -> str:
    done = project.manage(*arguments, "--noinput")
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def _plan(project: Project, *options: str, status: int = 0) -> Any:
    arguments = ("transfer_model", "shop.Company", "lab", "--format", "json", *options)
    return json.loads(_run(project, *arguments, status=status))


def test_a_key_that_becomes_illegal_blocks(shop: Project) -> None:
    source = (shop.path / "ward/models.py").read_text()
    found = _plan(shop, status=1)
    assert [each["message"] for each in found["blockers"]] == [
        "ward.Bed.company is a foreign key that would cross a boundary."
    ]
    assert (shop.path / "ward/models.py").read_text() == source
    assert not (shop.path / "lab/migrations/0003_receive_company.py").exists()


def test_the_key_is_converted_before_the_pair(shop: Project) -> None:
    found = _plan(shop, "--convert")
    assert found["blockers"] == []
    assert [(each["path"], each["line"]) for each in found["by_hand"]] == [("ward/uses.py", 5)]
    source = (shop.path / "ward/models.py").read_text()
    assert (
        '    # Who sold it.\n    company_id = DomainReference("lab.Company", db_index=True)\n'
        in source
    )
    transfer = (shop.path / "shop/migrations/0003_transfer_company.py").read_text()
    assert "('ward', '0003_bed_company_to_reference')" in transfer
    message = _failed(shop, "lab")
    assert message == (
        "lab.0003_receive_company runs together with shop.0003_transfer_company, which needs"
        " ward.0003_bed_company_to_reference of ward, which is not applied."
    )
    assert query(KEYS) == [("lab.items", "companies"), ("ward.beds", "companies")]
    _run(shop, "migrate_domain", "--all")
    assert query(KEYS) == [("lab.items", "lab.companies")]
    assert query("SELECT company_id FROM ward.beds ORDER BY 1") == [(1,), (2,)]
    assert query("SELECT count(*) FROM lab.companies") == [(2,)]
    _run(shop, "makemigrations", "--check", "--dry-run")
    _run(shop, "migrate_domain", "core", "shop.0002_more")
    _run(shop, "migrate_domain", "ward", "0002_more")
    assert query(KEYS) == [("lab.items", "companies"), ("ward.beds", "companies")]


def _failed(project: Project, domain: str) -> str:
    output = _run(project, "migrate_domain", domain, "--format", "json", status=1)
    (result,) = json.loads(output)["domains"]
    return str(result["error"]["message"])
