"""`adopt_domain`: the plan, the edits with the declaration, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain_migrations.engine.sources.adoptions import read_adoption
from tests.support import lab
from tests.support.catalog import execute, query, schemas, snapshot, tables
from tests.support.projects import Project, plain_app

Write = Callable[..., Project]


def adopt(project: Project, *arguments: str, status: int = 0) -> dict[str, Any]:
    result = project.manage("adopt_domain", *arguments, "--format=json")
    assert result.returncode == status, result.stdout + result.stderr
    return dict(json.loads(result.stdout))


@pytest.mark.usefixtures("surrounded")
def test_plan_write_and_undo(write: Write) -> None:
    project, catalog = write(lab.before()), snapshot()
    plan = adopt(project, "lab", "--count-rows")
    database = plan["database"]
    assert [(table["from"], table["rows"]) for table in database["tables"]] == [
        ("public.lab_sample", 2),
        ("public.lab_sample_tags", 2),
        ("public.lab_tag", 2),
    ]
    assert {item["kind"] for item in database["followers"]} >= {"view", "sequence", "statistics"}
    assert database["functions"][0] == {
        "name": "public.count_samples()",
        "mended": True,
        "diff": (
            "@@ -1 +1 @@\n"
            "-SELECT count(*) FROM lab_sample WHERE lab_sample.size > 0\n"
            "+SELECT count(*) FROM lab.lab_sample WHERE lab_sample.size > 0"
        ),
        "lines": [{"line": 1, "text": "SELECT count(*) FROM lab_sample WHERE lab_sample.size > 0"}],
    }
    assert [key["to"] for key in database["foreign_keys"]] == ["auth_user"]
    assert (plan["proof"], plan["blockers"], plan["written"]) == ("", [], False)
    assert snapshot() == catalog
    assert adopt(project, "lab", "--write", "--compat-views=30")["written"]
    assert project.manage("makemigrations", "--check", "--dry-run").returncode == 0
    assert project.manage("migrate_domain", "--all").returncode == 0
    assert tables("lab") >= set(lab.ADOPTION.tables)
    assert adopt(project, "lab")["database"]["pending"] is False
    undone = adopt(project, "lab", "--undo")
    assert undone["moved"]["tables"] == 3
    assert snapshot() == catalog
    assert "lab" not in schemas()
    assert project.manage("migrate").returncode == 0
    assert (project.path / "lab/models.py").read_text().count('"lab"."lab') == 0


WARD = """
class Ward(models.Model):
    sample = models.ForeignKey("lab.Sample", models.CASCADE)
"""
WARDS = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [("lab", "0002_size")]
    operations = [migrations.CreateModel("Ward", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False,
            verbose_name="ID")),
        ("sample", models.ForeignKey("lab.Sample", models.CASCADE)),
    ])]
"""


def test_several_apps_become_one_domain(write: Write) -> None:
    """A foreign key between them stays one, and so does the order of their migrations."""
    wards = plain_app(models=WARD, migrations={"0001_initial": WARDS})
    project = write(lab.before(), apps={"wards": wards})
    assert project.manage("migrate").returncode == 0
    execute(
        "INSERT INTO wards_ward (sample_id) VALUES (1); CREATE SCHEMA clinic;"
        " CREATE TABLE clinic.wards_log ()"
    )
    catalog = snapshot()
    assert adopt(project, "clinic", "--apps", "lab,wards", "--write")["proof"] == ""
    declaration = read_adoption(project.path / "lab/migrations/adoption.toml")
    assert (declaration.domain, declaration.apps) == ("clinic", ("lab", "wards"))
    assert project.manage("makemigrations", "--check", "--dry-run").returncode == 0
    moved = project.manage("migrate_domain", "clinic")
    assert "Move 4 tables of lab, wards from public to clinic, with 3 rows" in moved.stdout
    assert project.manage("prove_domain", "clinic").returncode == 0
    assert query("SELECT sample_id FROM clinic.wards_ward") == [(1,)]
    assert adopt(project, "clinic", "--undo")["moved"]["tables"] == 4
    assert snapshot() == catalog


FIRST_NEEDS_ZOO = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_size"), ("zoo", "0001_initial")]
"""
ZOO = """
class Migration(migrations.Migration):
    operations = [migrations.RunSQL("CREATE TABLE zoo_cage ()", "DROP TABLE zoo_cage")]
"""
NEEDS_CAGES = """
class Migration(migrations.Migration):
    operations = [migrations.RunSQL("ALTER TABLE zoo_cage ADD size int", "")]
"""


def test_a_hidden_dependency_of_core_has_a_remedy(write: Write) -> None:
    """The app's migrations had brought forward one that another app of core needs."""
    apps = {
        "notes": plain_app(migrations={"0001_initial": NEEDS_CAGES}),
        "zoo": plain_app(migrations={"0001_initial": ZOO}),
    }
    project = write(lab.before(**{"0003_zoo": FIRST_NEEDS_ZOO}), apps=apps)
    assert project.manage("migrate").returncode == 0
    proof = adopt(project, "lab", status=1)["proof"]
    assert "Migration notes.0001_initial failed" in proof
    assert proof.endswith(
        "relation \"zoo_cage\" does not exist. Without the domain's apps, core's migrations may run"
        " in another order: add the migration that creates it to the dependencies of the one that"
        " failed. Where that is applied, accept the edit: manage.py repair_domain core"
        " --accept-checksum APP.NAME"
    )


def test_names_that_need_quotes(write: Write) -> None:
    files = {
        name: text.replace("'lab_sample'", "'Lab Sample'") for name, text in lab.before().items()
    }
    project = write(files)
    execute(
        'ALTER TABLE lab_sample RENAME TO "Lab Sample";'
        ' ALTER TABLE lab_sample_tags RENAME TO "Lab Sample_tags";'
        ' CREATE VIEW "Big Samples" AS SELECT * FROM "Lab Sample";'
        ' CREATE FUNCTION "How Many"() RETURNS bigint LANGUAGE sql AS'
        ' \'SELECT count(*) FROM "Lab Sample"\'; CREATE TABLE "lab sample" ()'
    )
    catalog = snapshot()
    assert adopt(project, "lab", "--write", "--compat-views=30")["proof"] == ""
    assert project.manage("makemigrations", "--check", "--dry-run").returncode == 0
    assert project.manage("migrate_domain", "lab").returncode == 0
    assert query('SELECT public."How Many"(), count(*) FROM lab."Big Samples"') == [(2, 2)]
    assert query('SELECT count(*) FROM public."Lab Sample_tags"') == [(2,)]
    assert tables("lab") >= {"Lab Sample", "Lab Sample_tags", "lab_tag"}
    assert adopt(project, "lab", "--undo")["moved"]["tables"] == 3
    assert snapshot() == catalog


def test_what_blocks_it_has_a_remedy(write: Write) -> None:
    execute("ALTER TABLE auth_group ADD sample_id bigint REFERENCES lab_sample (id)")
    plan = adopt(write(lab.before()), "lab", "--skip-proof", status=1)
    [blocker] = plan["blockers"]
    assert blocker["message"] == (
        "The foreign key auth_group_sample_id_fkey of auth_group to lab_sample would cross the"
        ' boundary of the domain "lab".'
    )
    assert "ConvertToReference" in blocker["hint"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lab", "--write", "--undo"), "--undo writes the files, too; omit --write."),
        (("--all",), "--all needs --undo."),
        (("lab", "--table=lab_tag"), "--table takes OLD=NEW, both without a schema."),
        (("lab", "--undo"), "No adoption of lab is declared."),
    ],
)
def test_usage_errors(write: Write, arguments: tuple[str, ...], message: str) -> None:
    result = write(lab.before()).manage("adopt_domain", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
