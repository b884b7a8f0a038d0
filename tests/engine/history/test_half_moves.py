"""An app that becomes a domain, of which only the tables or only the history was moved."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.catalog import execute, query, snapshot, tables
from tests.support.projects import Project, domain_app, plain_app

MODEL = """
class Tag(models.Model):
    class Meta:
        db_table = {tags}

class Thing(models.Model):
    size = models.IntegerField()
    tags = models.ManyToManyField(Tag)
    class Meta:
        db_table = {things}
"""
FIRST = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))],
            options={{"db_table": {tags}}}),
        migrations.CreateModel("Thing", [
            ("id", models.BigAutoField(primary_key=True)),
            ("size", models.IntegerField()),
            ("tags", models.ManyToManyField("lab.Tag")),
        ], options={{"db_table": {things}}}),
    ]
"""
PLAIN = {"tags": "'lab_tag'", "things": "'lab_thing'"}
QUALIFIED = {"tags": '\'"lab"."tags"\'', "things": '\'"lab"."things"\''}
MOVE_TABLES = """
CREATE SCHEMA IF NOT EXISTS lab;
ALTER TABLE public.lab_tag SET SCHEMA lab; ALTER TABLE lab.lab_tag RENAME TO tags;
ALTER TABLE public.lab_thing SET SCHEMA lab; ALTER TABLE lab.lab_thing RENAME TO things;
ALTER TABLE public.lab_thing_tags SET SCHEMA lab;
ALTER TABLE lab.lab_thing_tags RENAME TO things_tags;
"""
MOVE_ROWS = (
    'CREATE TABLE IF NOT EXISTS "lab"."django_migrations_lab"'
    ' (LIKE "public"."django_migrations" INCLUDING ALL);'
    ' INSERT INTO "lab"."django_migrations_lab" (app, name, applied)'
    ' SELECT app, name, applied FROM "public"."django_migrations"'
    " WHERE app IN ('lab') ORDER BY id;"
    ' DELETE FROM "public"."django_migrations" WHERE app IN (\'lab\');'
)
IN_CORE = (
    "public.django_migrations records lab.0001_initial, which belong in lab.django_migrations_lab;"
    ' the domain "lab" would be migrated a second time.'
)


@pytest.fixture
def moving(project: Callable[..., Project]) -> Project:
    """The project with the domain, on the database of its release before."""
    before = plain_app(
        models=MODEL.format(**PLAIN), migrations={"0001_initial": FIRST.format(**PLAIN)}
    )
    assert project({"lab": before}, name="before").manage("migrate").returncode == 0
    execute("INSERT INTO public.lab_thing (size) VALUES (7)")
    after = domain_app(
        "lab",
        models=MODEL.format(**QUALIFIED),
        migrations={"0001_initial": FIRST.format(**QUALIFIED)},
    )
    return project({"lab": after}, name="after")


def refusal(project: Project, *options: str) -> tuple[str, str]:
    """The message and the hint of every run, which changes nothing."""
    before = snapshot()
    result = project.manage("migrate_domain", "lab", *options, "--format=json")
    assert result.returncode == 1
    assert snapshot() == before
    error = json.loads(result.stdout)["domains"][-1]["error"]
    return error["message"], error["hint"]


def found(project: Project) -> dict[str, str]:
    """Id → hint of the findings of verify_domain."""
    result = project.manage("verify_domain", "lab", "--format=json")
    return {each["id"]: each["hint"] for each in json.loads(result.stdout)["findings"]}


def check_messages(project: Project) -> str:
    return project.manage("check", "--database", "default").stderr


def test_nothing_is_moved(moving: Project) -> None:
    message, hint = refusal(moving)
    assert message == f"{IN_CORE} Its tables are still in public."
    assert hint == (
        "Move the tables (public.lab_tag to lab.tags, public.lab_thing to lab.things,"
        " public.lab_thing_tags to lab.things_tags) and then the rows, in one transaction, as"
        " docs/how-to/adopt.md shows. public has the only copy of the tables."
    )
    assert message in check_messages(moving)
    findings = found(moving)
    assert findings["L003"] == hint
    assert findings["L001"].startswith("It is the only copy: the schema lab has no such table.")


def test_only_the_history_is_moved(moving: Project) -> None:
    execute("CREATE SCHEMA lab")
    execute(MOVE_ROWS)
    assert moving.manage("migrate").returncode == 1
    for option in ([], ["--check"], ["--fake"], ["--fake-initial"]):
        message, hint = refusal(moving, *option)
        assert message == (
            "lab.django_migrations_lab records the migrations that create lab.tags, lab.things,"
            " lab.things_tags, which do not exist."
        )
        assert hint.endswith(
            "as docs/how-to/adopt.md shows: public has the only copy. Nothing was changed."
        )
    assert message in check_messages(moving)
    findings = found(moving)
    assert findings["H009"] == hint
    assert findings["L001"].startswith("It is the only copy: the schema lab has no such table.")
    execute(MOVE_TABLES)
    assert moving.manage("migrate_domain", "lab").returncode == 0
    assert moving.manage("verify_domain", "lab").returncode == 0


def test_only_the_tables_are_moved(moving: Project) -> None:
    execute(MOVE_TABLES)
    message, hint = refusal(moving)
    assert (message, hint) == (IN_CORE, f"Move the rows: {MOVE_ROWS}")
    assert message in check_messages(moving)
    assert f"  [!] {message} {hint}\n" in moving.manage("show_domains").stdout
    findings = found(moving)
    assert (findings["L003"], findings["H007"]) == (hint, hint)
    execute(hint.removeprefix("Move the rows: "))
    assert moving.manage("migrate").returncode == 0
    assert moving.manage("verify_domain", "lab").returncode == 0
    assert query("SELECT size FROM lab.things") == [(7,)]
    assert tables("public").isdisjoint({"lab_thing", "things"})


def test_the_history_is_lost(moving: Project) -> None:
    execute(MOVE_TABLES)
    execute("DELETE FROM public.django_migrations WHERE app = 'lab'")
    message, hint = refusal(moving)
    assert message == (
        "lab.django_migrations_lab has no rows, but lab.tags, lab.things, which pending migrations"
        " create, exist."
    )
    assert message in check_messages(moving)
    assert "H007" in found(moving)
    assert "manage.py migrate_domain lab --fake;" in hint
    assert moving.manage("migrate_domain", "lab", "--fake").returncode == 0
    assert moving.manage("verify_domain", "lab").returncode == 0


def test_the_tables_are_lost(moving: Project) -> None:
    execute("CREATE SCHEMA lab")
    execute(MOVE_ROWS)
    execute("DROP TABLE public.lab_thing_tags, public.lab_thing, public.lab_tag")
    message, hint = refusal(moving)
    assert message == (
        "lab.django_migrations_lab records the migrations that create lab.tags, lab.things, which"
        " do not exist."
    )
    assert message in check_messages(moving)
    assert found(moving)["H009"] == hint
    for command in hint.split("manage.py ")[1:]:
        words = command.partition(";")[0].removesuffix(" Nothing was changed.").split()
        assert moving.manage(*words, "--noinput").returncode == 0
    assert tables("lab") >= {"tags", "things", "things_tags"}


def test_what_has_no_tables_cannot_be_recorded(moving: Project) -> None:
    missing = (
        '--fake would record that the domain "lab" has lab.tags, lab.things, lab.things_tags,'
        " which do not exist."
    )
    message, hint = refusal(moving, "--fake")
    assert message == missing
    assert hint.startswith("Move the tables (public.lab_tag to lab.tags, ")
    assert refusal(moving, "--fake-initial")[0] == f"{IN_CORE} Its tables are still in public."

    execute("DROP TABLE public.lab_thing_tags, public.lab_thing, public.lab_tag")
    execute("DELETE FROM public.django_migrations WHERE app = 'lab'")
    message, hint = refusal(moving, "--fake")
    assert message == missing
    assert hint == (
        "To create them, run the command without --fake; if they were lost, restore them from a"
        " backup first. Nothing was changed."
    )
