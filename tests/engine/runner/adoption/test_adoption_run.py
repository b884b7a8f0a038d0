"""Apps that leave public, in a database that has their tables and rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support import lab
from tests.support.catalog import execute, history, query, schemas, snapshot, tables
from tests.support.projects import Project

Write = Callable[..., Project]
SLOW = pytest.mark.slow_stress
TABLES = {"lab_sample", "lab_sample_tags", "lab_tag"}
RELATIONS = """
SELECT c.relname, c.relkind::text, c.oid::bigint, pg_relation_filenode(c.oid)::bigint
FROM pg_class c WHERE c.relname LIKE 'lab\\_%' AND c.relkind <> 'v' ORDER BY 1
"""


def run(project: Project, *arguments: str, status: int = 0) -> dict[str, Any]:
    """The result of the domain that a run in JSON names."""
    result = project.manage(*arguments, "--format=json")
    assert result.returncode == status, result.stdout + result.stderr
    return dict(json.loads(result.stdout)["domains"][0])


def findings(project: Project) -> list[dict[str, str]]:
    result = project.manage("verify_domain", "--format=json")
    return list(json.loads(result.stdout)["findings"])


def test_tables_and_history_move_together(write: Write) -> None:
    project, relations = write(lab.after()), query(RELATIONS)
    times = query("SELECT app, name, applied FROM django_migrations WHERE app = 'lab' ORDER BY id")
    result = run(project, "migrate_domain", "lab")
    assert result["status"] == "migrated"
    assert result["pending"] == []
    [adopted] = result["adoptions"]
    assert (adopted["tables"], adopted["rows"]) == (3, 2)
    assert tables("lab") > TABLES
    assert not TABLES & tables("public")
    # The same tables, indexes and sequences in the same files: nothing was written again.
    assert query(RELATIONS) == relations
    assert query("SELECT code, size FROM lab.lab_sample ORDER BY id") == [("A", 7), ("B", 8)]
    moved = query("SELECT app, name, applied FROM lab.django_migrations_lab ORDER BY id")
    assert moved == times
    assert history("public.django_migrations WHERE app = 'lab'") == []
    journal = query(
        "SELECT name, status, checksum <> '' FROM lab.django_migrations_lab_journal"
        " WHERE direction = 'forwards' ORDER BY id"
    )
    assert journal == [("0001_initial", "adopted", True), ("0002_size", "adopted", True)]
    assert run(project, "migrate_domain", "lab")["status"] == "unchanged"
    assert findings(project) == []


def test_adopted_and_fresh_databases_are_identical(write: Write, postgres_server: Any) -> None:
    from tests.support import databases

    project = write(lab.after())
    run(project, "migrate_domain", "lab")
    adopted = snapshot()
    with databases.scratch(postgres_server) as name, databases.default_database(name):
        settings = project.path / "settings.py"
        settings.write_text(settings.read_text().replace(project.database, name))
        assert project.manage("migrate").returncode == 0
        assert snapshot() == adopted


def test_stock_migrate_adopts_too(write: Write) -> None:
    assert write(lab.after()).manage("migrate").returncode == 0
    assert tables("lab") > TABLES


THIRD = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_size")]
    operations = [migrations.AddField("Sample", "note", models.TextField(default=""))]
"""
EXECUTOR = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
executor.migrate(executor.loader.graph.leaf_nodes("lab"))
"""


def test_djangos_own_executor_adopts_too(write: Write) -> None:
    done = write(lab.after(**{"0003_note": THIRD})).manage("shell", "-c", EXECUTOR)
    assert done.returncode == 0, done.stderr
    assert tables("lab") > TABLES
    assert query("SELECT note FROM lab.lab_sample") == [("",), ("",)]


def test_all_domains(write: Write) -> None:
    output = write(lab.after()).manage("migrate_domain", "--all").stdout
    assert "Move 3 tables of lab from public to lab, with 2 rows of the history." in output
    assert "lab:  3 tables moved in" in output or "lab: 3 tables moved in" in output
    assert tables("lab") > TABLES


def test_check_plan_and_dry_run_change_nothing(write: Write) -> None:
    project, before = write(lab.after()), snapshot()
    checked = run(project, "migrate_domain", "lab", "--check", status=1)
    assert (checked["status"], checked["pending"]) == ("pending", [])
    planned = run(project, "migrate_domain", "lab", "--plan")
    assert planned["status"] == "planned"
    assert planned["adoptions"][0]["sql"] == [
        'ALTER TABLE "public".lab_sample SET SCHEMA "lab"',
        'ALTER TABLE "public".lab_sample_tags SET SCHEMA "lab"',
        'ALTER TABLE "public".lab_tag SET SCHEMA "lab"',
    ]
    tried = run(project, "migrate_domain", "lab", "--dry-run")
    assert tried["adoptions"][0]["tables"] == 3
    refused = run(project, "migrate_domain", "lab", "--rollback", "--noinput", status=1)
    assert refused["error"]["message"] == (
        "The adoption of lab is still to be run in this database, and a rollback does not run it."
    )
    assert snapshot() == before
    assert "lab" not in schemas()


def test_checks_and_show_domains_name_the_declaration_that_waits(write: Write) -> None:
    project = write(lab.after())
    path = project.path / "lab/migrations/adoption.toml"
    hint = f"manage.py migrate_domain lab will move both, as {path} declares."
    warnings = project.manage("check", "--database", "default").stderr
    assert (warnings.count(hint), warnings.count("W001")) == (1, 0)
    assert hint in project.manage("show_domains").stdout
    left = [each["hint"] for each in findings(project) if each["id"] == "L001"]
    assert left == ["manage.py migrate_domain lab will move it, as its adoption declares."] * 3


INDEX = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_size")]
    operations = [migrations.RunSQL(
        "DO $$ BEGIN EXECUTE 'CREATE INDEX lab_ext' || 'ra ON {}lab_sample (size)'; END $$", "")]
"""


def test_what_custom_sql_created_is_known_to_the_domain(write: Write) -> None:
    """No finding, although neither the models nor the text of the SQL name the index."""
    old = write(lab.before(**{"0003_index": INDEX.format("")}), name="before")
    assert old.manage("migrate").returncode == 0
    names = {"lab_sample": "samples", "lab_sample_tags": "samples_tags", "lab_tag": "lab_tag"}
    sql = INDEX.format("lab.").replace("lab_sample", "samples")
    project = write(lab.after(replace(lab.ADOPTION, tables=names), **{"0003_index": sql}))
    run(project, "migrate_domain", "lab")
    created = "SELECT details -> 'created' FROM lab.django_migrations_lab_journal WHERE name = %s"
    assert query(created, "0003_index") == [('["105 lab.lab_extra", "107 lab.lab_extra"]',)]
    execute("CREATE INDEX lab_extra ON public.django_content_type (model)")
    assert findings(project) == []


def test_tables_are_renamed_where_asked(write: Write) -> None:
    """The plan says how many names stay that a fresh database has otherwise."""
    arguments = ("lab", "--skip-proof", "--table", "lab_tag=labels")
    planned = write(lab.before(), name="before").manage("adopt_domain", *arguments)
    assert "Sequences (1), indexes (3) and constraints (2) of renamed tables keep" in planned.stdout
    names = {"lab_sample": "samples", "lab_sample_tags": "samples_tags", "lab_tag": "lab_tag"}
    project = write(lab.after(replace(lab.ADOPTION, tables=names)))
    run(project, "migrate_domain", "lab")
    assert set(names.values()) < tables("lab")
    assert findings(project) == []


def test_an_empty_database_is_migrated_as_always(
    write: Write, postgres_server: Any, scratch_database: str
) -> None:
    project = write(lab.after())
    settings = project.path / "settings.py"
    settings.write_text(settings.read_text().replace(project.database, scratch_database))
    result = run(project, "migrate_domain", "lab", "--with-dependencies")
    assert result["domain"] == "core"
    assert "adoptions" not in result
    assert tables("lab") > TABLES


def test_a_database_that_lacks_later_migrations_gets_them_after_the_adoption(write: Write) -> None:
    result = run(write(lab.after(**{"0003_note": THIRD})), "migrate_domain", "lab")
    assert [ran["name"] for ran in result["applied"]] == ["0003_note"]
    assert result["adoptions"][0]["rows"] == 2
    assert query("SELECT note FROM lab.lab_sample") == [("",), ("",)]


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            "CREATE SCHEMA lab; CREATE TABLE lab.lab_tag ()",
            "The adoption of lab cannot begin: public.lab_tag is to become lab.lab_tag, which"
            " exists already.",
        ),
        (
            "CREATE SCHEMA lab; ALTER TABLE lab_tag SET SCHEMA lab",
            "The adoption of lab was done by hand, in part: lab.lab_tag is moved, and the rows of"
            " the history are not.",
        ),
        pytest.param(
            "CREATE SCHEMA lab; CREATE TABLE lab.django_migrations_lab (LIKE django_migrations"
            " INCLUDING ALL); INSERT INTO lab.django_migrations_lab (app, name, applied) SELECT"
            " app, name, applied FROM django_migrations WHERE app = 'lab';"
            " DELETE FROM django_migrations WHERE app = 'lab'",
            "The adoption of lab was done by hand, in part: the rows of the history were moved,"
            " and public.lab_sample, public.lab_sample_tags, public.lab_tag are still there.",
            marks=SLOW,
        ),
        pytest.param(
            "CREATE SCHEMA lab; CREATE TABLE lab.django_migrations_lab (LIKE django_migrations"
            " INCLUDING ALL); INSERT INTO lab.django_migrations_lab (app, name, applied) SELECT"
            " app, name, applied FROM django_migrations WHERE app = 'lab'",
            "The adoption of lab cannot begin: both public.django_migrations and"
            " lab.django_migrations_lab record lab.0001_initial, lab.0002_size.",
            marks=SLOW,
        ),
        (
            "DROP TABLE lab_sample CASCADE",
            "The adoption of lab cannot begin: public.django_migrations records the migrations"
            " that create public.lab_sample, which does not exist.",
        ),
    ],
)
def test_half_states_are_refused(write: Write, statements: str, message: str) -> None:
    project = write(lab.after())
    execute(statements)
    before = snapshot()
    result = run(project, "migrate_domain", "lab", status=1)
    assert result["status"] == "refused"
    assert result["error"]["message"] == message
    assert result["error"]["hint"].endswith("Nothing was changed.")
    assert snapshot() == before


def test_a_table_of_the_same_name_in_public_survives_afterwards(write: Write) -> None:
    project = write(lab.after())
    run(project, "migrate_domain", "lab")
    execute("CREATE TABLE public.lab_tag (mine int); INSERT INTO public.lab_tag VALUES (1)")
    assert run(project, "migrate_domain", "lab")["status"] == "unchanged"
    assert query("SELECT mine FROM public.lab_tag") == [(1,)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"undo": True}, "moves lab back to core, but the code has the app in the domain"),
        pytest.param({"schema": "other"}, "in the schema other, but in the code", marks=SLOW),
        pytest.param({"apps": ("lab", "auth")}, "auth is not one of its apps", marks=SLOW),
        (
            {"tables": {**lab.ADOPTION.tables, "lab_tag": "lab_tags"}},
            "the code has public.lab_tag as lab.lab_tag, and ",
        ),
        (
            {"tables": {"lab_sample": "lab_sample", "lab_tag": "lab_tag"}},
            "the code has public.lab_sample_tags as lab.lab_sample_tags, and ",
        ),
    ],
)
def test_a_declaration_that_contradicts_the_code_is_refused(
    write: Write, change: dict[str, Any], message: str
) -> None:
    files = lab.after()
    files["migrations/adoption.toml"] = replace(lab.ADOPTION, **change).as_text()
    result = run(write(files), "migrate_domain", "lab", status=1)
    assert message in result["error"]["message"]
    assert tables("public") > TABLES


def test_core_refuses_to_run_without_the_domain(write: Write) -> None:
    files = {**lab.before(), "migrations/adoption.toml": lab.ADOPTION.as_text()}
    result = run(write(files), "migrate_domain", "core", status=1)
    assert "but the code leaves the app in core" in result["error"]["message"]


def test_older_code_does_not_create_the_adopted_tables_again(write: Write) -> None:
    run(write(lab.after()), "migrate_domain", "lab")
    before, older = snapshot(), write(lab.before(), name="older")
    result = run(older, "migrate_domain", "core", status=1)
    assert result["status"] == "refused"
    message = result["error"]["message"]
    assert message == (
        "lab.django_migrations_lab records lab.0001_initial and 1 more, which the code has in"
        " core; core would apply them a second time."
    )
    assert snapshot() == before
    assert message in older.manage("check", "--database", "default").stderr
