"""The command on small projects: out of core, to an app without migrations, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps

from domain_migrations.api.transfer.model_move import plan_move
from domain_migrations.api.transfer.transfer import TransferPlan
from domain_migrations.management.commands import transfer_model
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import ROOT, call
from tests.support.projects import Project, domain_app, plain_app

SHOP = '''\n
class Named(models.Model):
    name = models.CharField(max_length=20, blank=True)

    class Meta:
        abstract = True


def first():
    return 1


class Company(Named):
    """Who sells."""

    code = models.CharField(max_length=20, unique=True)
    size = models.IntegerField(default=first)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    groups = models.ManyToManyField("auth.Group")
    owner = models.ForeignKey("auth.User", models.CASCADE, null=True)

    class Meta(Named.Meta):
        db_table = "companies"
        indexes = [models.Index(fields=["size", "code"], name="companies_size")]
'''
LAB = """
class Item(models.Model):
    company = models.ForeignKey("shop.Company", models.CASCADE)

    class Meta:
        db_table = '"lab"."items"'
"""
WARD = """
class Bed(models.Model):
    company = models.ForeignKey("shop.Company", models.CASCADE)

    class Meta:
        db_table = '"ward"."beds"'
"""
ROWS = """
INSERT INTO companies (name, code, size) VALUES ('a', 'a', 1), ('b', 'b', 2);
UPDATE companies SET parent_id = 1 WHERE id = 2;
INSERT INTO auth_group (name) VALUES ('g');
INSERT INTO companies_groups (company_id, group_id) SELECT 2, id FROM auth_group;
INSERT INTO lab.items (company_id) VALUES (1);
INSERT INTO ward.beds (company_id) VALUES (2);
CREATE SCHEMA decoy;
CREATE TABLE decoy.companies (id integer);
"""
POINTING = """
SELECT c.code, p.code, (SELECT count(*) FROM {0}.companies_groups g WHERE g.company_id = c.id),
    (SELECT count(*) FROM lab.items i WHERE i.company_id = c.id),
    (SELECT count(*) FROM ward.beds b WHERE b.company_id = c.id)
FROM {0}.companies c LEFT JOIN {0}.companies p ON p.id = c.parent_id ORDER BY 1
"""


def _run(made: Project, *arguments: str, status: int = 0) -> str:
    done = made.manage(*arguments)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def core(project: Callable[..., Project]) -> Project:
    """A company of core, to which two domains have foreign keys."""
    made = project(
        {
            "shop": plain_app(models=SHOP),
            "lab": domain_app("lab", models=LAB),
            "ward": domain_app("ward", models=WARD),
        }
    )
    _run(made, "makemigrations", "shop", "lab", "ward")
    return made


def _is_whole(made: Project) -> None:
    _run(made, "makemigrations", "--check", "--dry-run")
    assert _run(made, "verify_domain", "--only", "history,checksum,drift,boundary") == (
        "Nothing found.\n"
    )


def test_out_of_core(core: Project) -> None:
    _run(core, "migrate")
    execute(ROWS)
    rows = query(POINTING.format("public"))
    assert rows == [("a", None, 0, 1, 0), ("b", "a", 1, 0, 1)]
    plan = json.loads(
        _run(core, "transfer_model", "shop.Company", "lab", "--format", "json", status=1)
    )
    assert [blocker["message"] for blocker in plan["blockers"]] == [
        "ward.Bed.company is a foreign key that would cross a boundary."
    ]
    plan = json.loads(
        _run(core, "transfer_model", "shop.Company", "lab", "--convert", "--format", "json")
    )
    assert plan["tables"] == {
        "public.companies": "lab.companies",
        "public.companies_groups": "lab.companies_groups",
    }
    assert [f"{key['app']}.{key['name']}" for key in plan["migrations"]] == [
        "ward.0002_bed_company_to_reference",
        "lab.0003_receive_company",
        "shop.0002_transfer_company",
    ]
    before = snapshot()
    _run(core, "migrate_domain", "--all")
    assert query(POINTING.format("lab")) == rows
    assert query("SELECT to_regclass('public.companies')") == [(None,)]
    _is_whole(core)
    _run(core, "migrate_domain", "lab", "0002", "--noinput")
    _run(core, "migrate_domain", "ward", "0001", "--noinput")
    assert query(POINTING.format("public")) == rows
    assert snapshot() == before
    _run(core, "migrate")
    assert query(POINTING.format("lab")) == rows
    assert query("SELECT * FROM decoy.companies") == []


@pytest.mark.slow_stress
def test_out_of_core__on_an_empty_database(core: Project) -> None:
    _run(core, "transfer_model", "shop.Company", "lab", "--convert", "--noinput")
    _run(core, "migrate")
    _is_whole(core)


def test_to_an_app_without_migrations(project: Callable[..., Project]) -> None:
    made = project(
        {
            "lab": domain_app("lab", models=LAB.replace("shop.Company", "auth.User")),
            "bare": domain_app("bare", models=""),
        }
    )
    _run(made, "makemigrations", "lab")
    _run(made, "transfer_model", "lab.Item", "bare", "--noinput")
    assert (made.path / "bare/migrations/__init__.py").read_bytes() == b""
    assert (made.path / "bare/migrations/0001_receive_item.py").is_file()
    assert not (made.path / "bare/migrations/max_migration.txt").exists()
    _run(made, "migrate")
    _is_whole(made)
    _run(made, "migrate_domain", "bare", "zero", "--noinput")
    assert query("SELECT to_regclass('lab.items')::text") == [("lab.items",)]


CHAIN = """
class Named(models.Model):
    class Meta:
        db_table = '"lab"."named"'


class Item(models.Model):
    named = models.ForeignKey(Named, models.CASCADE)

    class Meta:
        db_table = '"lab"."items"'


class Part(models.Model):
    item = models.OneToOneField(Item, models.CASCADE)

    class Meta:
        db_table = '"lab"."parts"'
"""
KEYS = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND conrelid IN ('items'::regclass, 'lab.parts'::regclass) ORDER BY 1
"""


def test_one_move_after_another__before_the_database_has_the_first(
    project: Callable[..., Project],
) -> None:
    made = project({"shop": plain_app(), "lab": domain_app("lab", models=CHAIN)})
    _run(made, "makemigrations", "lab")
    _run(made, "migrate")
    execute("INSERT INTO lab.named DEFAULT VALUES")
    execute("CREATE SCHEMA decoy; CREATE TABLE decoy.named (id int)")
    blocked = json.loads(
        _run(made, "transfer_model", "lab.Item", "shop", "--format", "json", status=1)
    )
    assert [each["message"] for each in blocked["blockers"]] == [
        "lab.Item.named is a foreign key that would cross a boundary."
    ]
    _run(made, "transfer_model", "lab.Named", "shop")
    _run(made, "transfer_model", "lab.Item", "shop")
    _run(made, "migrate_domain", "--all")
    assert query(KEYS) == [("items", "named"), ("lab.parts", "items")]
    assert query("SELECT count(*) FROM named") == [(1,)]
    assert query("SELECT count(*) FROM decoy.named") == [(0,)]
    _is_whole(made)


def test_a_view_stays_for_old_code(project: Callable[..., Project]) -> None:
    made = project(
        {
            "lab": domain_app("lab", models=LAB.replace("shop.Company", "auth.User")),
            "shop": plain_app(models=""),
        }
    )
    _run(made, "makemigrations", "lab")
    _run(made, "migrate")
    said = _run(made, "transfer_model", "lab.Item", "shop", "--compat-view", "7", "--noinput")
    assert said.splitlines()[-1].endswith(
        """in a migration of lab with the stage after: RemoveCompatViews(['"lab"."items"'])"""
    )
    _run(made, "migrate_domain", "lab")
    kinds = "SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)"
    assert query(kinds, "lab.items") == [("v",)]
    assert query(kinds, "public.items") == [("r",)]
    _is_whole(made)


def _refused(made: Project, *arguments: str) -> list[dict[str, Any]]:
    before = {path: path.read_bytes() for path in made.path.rglob("*.py")}
    plan = json.loads(_run(made, "transfer_model", *arguments, "--format", "json", status=1))
    assert {path: path.read_bytes() for path in made.path.rglob("*.py")} == before
    assert plan["written"] is False
    blockers: list[dict[str, Any]] = plan["blockers"]
    return blockers


def test_changes_without_a_migration_block(core: Project) -> None:
    models = core.path / "shop/models.py"
    models.write_text(models.read_text().replace("max_length=20, unique", "max_length=30, unique"))
    assert _refused(core, "shop.Company", "lab", "--convert") == [
        {
            "message": "The models of shop have changes that are in no migration.",
            "hint": "Run: manage.py makemigrations shop",
        }
    ]


def test_wrong_usage(core: Project) -> None:
    for arguments, message in (
        (["shop.Compny", "lab"], 'There is no model "shop.Compny". Did you mean "shop.Company"?'),
        (["shop.Company", "lap"], 'There is no app and no domain "lap". Did you mean "lab"?'),
        (["shop.Company", "lab", "--compat-view", "0"], "--compat-view takes a number of days"),
    ):
        done = core.manage("transfer_model", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


WITHOUT_LIBCST = """
import sys
sys.modules["libcst"] = None
import django
django.setup()
from django.core.management import CommandError, call_command
try:
    call_command("transfer_model", "lab.Item", "shop", dry_run=True)
except CommandError as exc:
    print(exc)
"""


def test_libcst_is_needed(project: Callable[..., Project]) -> None:
    made = project({"shop": plain_app(), "lab": domain_app("lab", models=CHAIN)})
    assert made.python("-c", WITHOUT_LIBCST) == (
        "The code cannot be edited, because libcst is not installed."
        ' Run: pip install "libcst>=1.8"\n'
    )


@pytest.mark.parametrize(("answer", "written"), [("n", False), ("y", True)])
def test_a_person_is_asked_before_files_are_written(
    monkeypatch: pytest.MonkeyPatch, answer: str, written: bool
) -> None:
    move = plan_move(apps.get_model("inventory.Company"), apps.get_app_config("core"))
    plan = TransferPlan(move=move, root=ROOT)
    monkeypatch.setattr(transfer_model, "plan_transfer", lambda *names, **options: plan)
    found: list[TransferPlan] = []
    monkeypatch.setattr(
        transfer_model,
        "write_transfer",
        lambda given: found.append(given) or dataclasses.replace(given, is_written=True),
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: answer)
    result = call("transfer_model", "inventory.Company", "core")
    assert "This writes the files above. Continue? [y/N] " in result.stderr
    assert (found == [plan]) is written
    assert ("The files were written." in result.stdout) is written
    assert ("CommandError: Nothing was changed." in result.stderr) is not written


def test_a_view_of_another_domain_blocks(project: Callable[..., Project]) -> None:
    made = project(
        {
            "lab": domain_app("lab", models=LAB.replace("shop.Company", "auth.User")),
            "ward": domain_app("ward", models=""),
        }
    )
    _run(made, "makemigrations", "lab")
    _run(made, "migrate")
    execute("CREATE VIEW lab.ids AS SELECT id FROM lab.items")
    (blocker,) = _refused(made, "lab.Item", "ward")
    assert blocker["message"].startswith("The view lab.ids reads the table, or a view that does:")
    # PostgreSQL 15 writes the table's name before the column.
    assert blocker["hint"].replace("items.id", "id") == (
        "In a migration before the pair: DROP VIEW lab.ids;\n"
        "In a migration after the pair: CREATE VIEW ward.ids AS\nSELECT id\n   FROM ward.items;"
    )
    done = made.manage("transfer_model", "lab.Item", "ward")
    assert "  In a migration after the pair: CREATE VIEW ward.ids AS\n  SELECT " in done.stdout
