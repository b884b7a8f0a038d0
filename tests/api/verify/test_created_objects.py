"""Objects that migrations make with computed SQL, which only the journal can know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain_migrations.engine.guard.created_objects import MAX_OBJECTS, bounded
from tests.support.catalog import execute, query
from tests.support.projects import Project, domain_app, plain_app

Write = Callable[..., Project]

HELPERS = '''
from django.db.migrations.operations.base import Operation

def statement(name, value=1):
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS int LANGUAGE sql AS 'SELECT {value}'"

class Make:
    """A callable without source of its own."""
    def __init__(self, name): self.name = name
    def __call__(self, apps, editor): editor.execute(statement(self.name))

class MakeAll(Operation):
    """Deconstructed, it shows nothing of its SQL."""
    reversible = True
    def __init__(self, *names): self.names = names
    def deconstruct(self): return ("MakeAll", [], {})
    def state_forwards(self, *a): pass
    def database_forwards(self, label, editor, *a):
        for name in self.names: editor.execute(statement(name))
    def database_backwards(self, label, editor, *a):
        for name in self.names: editor.execute(f"DROP FUNCTION {name}")

class Check(Operation):
    reversible = True
    def state_forwards(self, *a): pass
    def database_forwards(self, label, editor, *a):
        with editor.connection.cursor() as cursor: cursor.execute("SELECT * FROM public.switch")
    def database_backwards(self, *a): pass
'''
MODELS = """
from django.db import models
class Thing(models.Model):
    class Meta:
        db_table = '"lab"."things"'
"""
HEAD = """
from helpers import Check, Make, MakeAll
S = "{0}." + "f_"
class Migration(migrations.Migration):
    atomic = {1}
    dependencies = {2}
    operations = [{3}]
"""


def migration(schema: str, operations: str, *, after: str = "", atomic: bool = True) -> str:
    dependencies = f'[("{"lab" if schema == "lab" else "base"}", "{after}")]' if after else "[]"
    return HEAD.format(schema, atomic, dependencies, operations)


def write(project: Write, lab: dict[str, str], base: dict[str, str] | None = None) -> Project:
    apps = {
        "base": plain_app(migrations=base or {"0001_initial": migration("public", "")}),
        "lab": domain_app("lab", migrations=lab),
    }
    foreign = project(apps)
    foreign.write("helpers.py", HELPERS)
    return foreign


def found(foreign: Project, *arguments: str) -> list[tuple[str, str]]:
    result = foreign.manage("verify_domain", *arguments, "--format", "json")
    assert result.stdout, result.stderr
    return [(item["id"], item["object"]) for item in json.loads(result.stdout)["findings"]]


def migrate(foreign: Project, *arguments: str) -> None:
    result = foreign.manage("migrate_domain", *arguments)
    assert result.returncode == 0, result.stderr


BOTH = 'migrations.RunPython(Make(S + "one"), migrations.RunPython.noop), MakeAll(S + "two")'
LAB = {"0001_initial": migration("lab", BOTH)}


def test_they_are_not_reported__nor_is_anything_made_by_hand_accepted(project: Write) -> None:
    core = {"0001_initial": migration("public", 'MakeAll(S + "one")')}
    foreign = write(project, LAB, core)
    migrate(foreign, "--all")
    assert found(foreign) == []
    assert query("SELECT details FROM lab.django_migrations_lab_journal WHERE app = 'lab'") == [
        ('{"created": ["108 lab.f_one()", "108 lab.f_two()"]}',)
    ]
    for name in ("lab.f_one(a int)", "lab.f_three()", "public.f_two()"):
        execute(f"CREATE FUNCTION {name} RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert found(foreign) == [
        ("D108", "public.f_two()"),
        ("D108", "lab.f_one(integer)"),
        ("D108", "lab.f_three()"),
    ]


def test_what_was_reverted_is_forgotten(project: Write) -> None:
    more = migration("lab", 'MakeAll(S + "x")', after="0001_initial")
    foreign = write(project, {**LAB, "0002_more": more})
    migrate(foreign, "lab", "--with-dependencies")
    migrate(foreign, "lab", "0001", "--noinput")
    execute("CREATE FUNCTION lab.f_x() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert found(foreign, "lab") == [("D108", "lab.f_x()")]


def test_what_was_faked_is_known_if_a_run_made_it_before(project: Write) -> None:
    foreign = write(project, LAB)
    migrate(foreign, "lab", "--with-dependencies")
    migrate(foreign, "lab", "zero", "--fake", "--noinput")
    migrate(foreign, "lab", "--fake")
    assert found(foreign, "lab") == []
    execute("DELETE FROM lab.django_migrations_lab_journal WHERE status = 'done'")
    assert found(foreign, "lab") == [("D108", "lab.f_one()"), ("D108", "lab.f_two()")]


def test_what_an_interrupted_run_made_is_known_after_it_was_resumed(project: Write) -> None:
    operations = 'MakeAll(S + "one"), Check(), MakeAll(S + "two")'
    foreign = write(project, {"0001_initial": migration("lab", operations, atomic=False)})
    assert foreign.manage("migrate_domain", "lab", "--with-dependencies").returncode == 1
    execute("CREATE TABLE public.switch ()")
    result = foreign.manage("repair_domain", "lab", "--resume", "--noinput")
    assert result.returncode == 0, result.stderr
    assert found(foreign, "lab") == []


def test_what_a_snapshot_restored_is_known_without_the_snapshot(project: Write) -> None:
    table = """
        migrations.CreateModel("Thing", fields=[("id", models.BigAutoField(primary_key=True))],
            options={"db_table": '"lab"."things"'}), MakeAll(S + "one")"""
    foreign = write(project, {"0001_initial": migration("lab", table)})
    foreign.write("lab/models.py", MODELS)
    migrate(foreign, "core")
    assert foreign.manage("snapshot_domain", "lab").returncode == 0
    migrate(foreign, "lab")
    ((details,),) = query("SELECT details FROM lab.django_migrations_lab_journal WHERE app = 'lab'")
    assert json.loads(details) == {"snapshot": "snapshot.sql", "created": ["108 lab.f_one()"]}
    (snapshot,) = foreign.path.rglob("snapshot.sql")
    text = snapshot.read_text()
    snapshot.unlink()
    assert found(foreign, "lab") == []

    snapshot.write_text(text)
    later = 'MakeAll(S + "two"), migrations.RunPython(Make(S + "one"))'
    more = migration("lab", later, after="0001_initial")
    foreign.write(
        "lab/migrations/0002_more.py", "from django.db import migrations, models\n" + more
    )
    execute("COMMENT ON FUNCTION lab.f_one() IS 'changed by hand'")
    assert found(foreign, "lab") == [("D052", "lab.f_one()")]
    migrate(foreign, "lab")
    assert found(foreign, "lab") == []


@pytest.mark.parametrize(
    ("created", "details"),
    [
        ([], {}),
        (["108 a.b"], {"created": ["108 a.b"]}),
        (["x"] * (MAX_OBJECTS + 2), {"created": ["x"] * MAX_OBJECTS, "created_more": 2}),
        (["x" * 30_000] * 3, {"created": ["x" * 30_000], "created_more": 2}),
    ],
)
def test_a_journals_row_is_bounded(created: list[str], details: dict[str, Any]) -> None:
    assert bounded(created) == details
