"""The baseline: accepted findings are named exactly, and do not hide anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings

from domain_migrations.api.verify.baseline import Baseline
from domain_migrations.domains import get_domain
from domain_migrations.engine.messages import Finding
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.catalog import execute, snapshot
from tests.support.projects import Project, plain_app

Write = Callable[..., Project]

NODE = """
class Node(models.Model):
    path = models.CharField(max_length=255)
    name = models.CharField(max_length=9, unique=True)
"""
MIGRATION = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Node", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("path", models.CharField(max_length=255)),
            ("name", models.CharField(max_length=9, unique=True)),
        ]),
        migrations.RunSQL(
            "ALTER TABLE base_node ALTER COLUMN path TYPE varchar(255) COLLATE \\"C\\";"
            "ALTER TABLE base_node DROP CONSTRAINT base_node_name_key"
        ),
    ]
"""
SETTINGS = {"DOMAIN_MIGRATIONS": {"VERIFY_BASELINE": "accepted.json"}}
COLLATION, UNIQUE = ("D017", "public.base_node.path"), ("D021", "public.base_node.name")


def verify(project: Project, *arguments: str) -> list[tuple[str, str]]:
    result = project.manage("verify_domain", "core", *arguments, "--format", "json")
    assert result.stdout, result.stderr
    found = json.loads(result.stdout)["findings"]
    assert result.returncode == (1 if found else 0)
    return [(item["id"], item["object"]) for item in found]


@pytest.fixture
def core(project: Write) -> Project:
    """A project whose core has what none of its models says."""
    base = plain_app(models=NODE, migrations={"0001_initial": MIGRATION})
    foreign = project({"base": base}, settings=SETTINGS)
    result = foreign.manage("migrate_domain", "core")
    assert result.returncode == 0, result.stderr
    return foreign


def test_what_is_accepted_is_named_exactly(core: Project) -> None:
    before = snapshot()
    found = verify(core)
    assert [number for number, _ in found] == ["D021", "D017"]
    written = core.manage("verify_domain", "core", "--write-baseline")
    assert written.stdout == "2 accepted in accepted.json.\nNothing found.\n"
    assert snapshot() == before
    assert verify(core) == []
    path = core.path / "accepted.json"
    content = json.loads(path.read_text())
    assert content["format"] == 1
    assert {(one["id"], one["object"]) for one in content["accepted"]} == set(found)

    execute("ALTER TABLE base_node ADD COLUMN late int")
    assert verify(core) == [("D102", "public.base_node.late")]
    execute("ALTER TABLE base_node DROP COLUMN late")
    execute('ALTER TABLE base_node ALTER COLUMN path TYPE varchar(255) COLLATE "POSIX"')
    changed = verify(core)
    assert sorted(changed) == [COLLATION, ("D061", COLLATION[1])]
    execute("ALTER TABLE base_node ALTER COLUMN path TYPE varchar(255)")
    assert verify(core) == [("D061", COLLATION[1])]
    assert verify(core, "--only", "leftover") == []


def test_writing_it_again_keeps_reasons_and_removes_what_is_outdated(core: Project) -> None:
    verify(core, "--write-baseline")
    path = core.path / "accepted.json"
    content = json.loads(path.read_text())
    for entry in content["accepted"]:
        entry["reason"] = f"a reason for {entry['id']}"
    content["accepted"].append({**content["accepted"][0], "domain": "elsewhere"})
    path.write_text(json.dumps(content))
    assert verify(core) == []
    execute("ALTER TABLE base_node ALTER COLUMN path TYPE varchar(255)")
    execute("CREATE TABLE stray (id int)")
    assert verify(core, "--write-baseline", "--only", "drift") == []
    accepted = json.loads(path.read_text())["accepted"]
    assert {(one["id"], one["domain"], one["reason"]) for one in accepted} == {
        ("D021", "core", "a reason for D021"),
        ("D017", "elsewhere", "a reason for D017"),
        ("D101", "core", ""),
    }


def test_a_finding_in_other_words_stays_accepted(
    core: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding("D017", "drift", "core", COLLATION[1], "It differs.", "")
    baseline = Baseline(None)
    monkeypatch.setattr("domain_migrations.api.verify.baseline._is_compared", lambda *_: True)
    domain, kinds = get_domain("core"), ["drift"]
    baseline.accept(connection, domain, [finding], kinds)
    reworded = finding._replace(message="It is different.", hint="Look.")
    assert baseline.compare(connection, domain, [reworded], kinds) == []
    execute('ALTER TABLE base_node ALTER COLUMN path TYPE varchar(255) COLLATE "POSIX"')
    found = baseline.compare(connection, domain, [reworded], kinds)
    assert [item.id for item in found] == ["D017", "D061"]


def test_other_kinds_are_never_accepted(core: Project) -> None:
    execute("INSERT INTO django_migrations (app, name, applied) VALUES ('base', '0009_x', now())")
    assert [number for number, _ in verify(core, "--write-baseline")] == ["H001"]


def test_an_empty_database_has_no_outdated_entries(project: Write) -> None:
    foreign = project({"base": plain_app()}, settings=SETTINGS)
    entry = {"id": "D017", "domain": "core", "object": "public.x", "definition": "0"}
    content = {"format": 1, "accepted": [entry]}
    (foreign.path / "accepted.json").write_text(json.dumps(content))
    assert verify(foreign) == []


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 2, "accepted": []}',
        '{"format": 1, "accepted": [{"id": "D017"}]}',
        '{"format": 1, "accepted": [{"id": 1, "domain": "", "object": "", "definition": ""}]}',
    ],
)
def test_a_malformed_file_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "accepted.json"
    path.write_text(content)
    setting = override_settings(DOMAIN_MIGRATIONS={"VERIFY_BASELINE": str(path)})
    with setting, pytest.raises(InvalidConfiguration) as caught:
        Baseline.read()
    assert caught.value.message == f"{path} is not a file of accepted findings."


def test_writing_needs_the_setting() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        Baseline.read(required=True)
    assert caught.value.hint == (
        'Name one in the settings: DOMAIN_MIGRATIONS = {"VERIFY_BASELINE": "verify_baseline.json"}'
    )
