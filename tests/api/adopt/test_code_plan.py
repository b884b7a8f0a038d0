"""The code of an app that becomes a domain, in a project of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain_migrations.api.adopt import code_plan, code_undo
from domain_migrations.api.source_code.file_changes import FileChange, apply_changes
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.projects import Project, plain_app

LAB_MODELS = """
class Timed(models.Model):
    at = models.DateTimeField(null=True)
    class Meta:
        abstract = True
        ordering = ["at"]

class Tag(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9)  # short

class Sample(Timed):
    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=5)
    tags = models.ManyToManyField(Tag)
    owner = models.ForeignKey("auth.User", models.CASCADE, null=True)
"""
FIRST = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency("auth.User")]
    operations = [
        migrations.CreateModel("Tag", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("name", models.CharField(max_length=9)),
        ]),
        migrations.CreateModel("Sample", [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("at", models.DateTimeField(null=True)),
            ("code", models.CharField(max_length=5)),
            ("tags", models.ManyToManyField(to="lab.tag")),
            ("owner", models.ForeignKey(to="auth.user", on_delete=models.CASCADE, null=True)),
        ], options={"ordering": ["at"], "abstract": False}),
    ]
"""
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.RunSQL("UPDATE lab_sample SET code = 'x'", "")]
"""
USER = """
class Ward(models.Model):
    id = models.BigAutoField(primary_key=True)
    sample = models.ForeignKey("lab.Sample", models.CASCADE)
"""
SCRIPT = """
import datetime, json, sys
import django
django.setup()
from domain_migrations.api.adopt import code_plan
from domain_migrations.engine.sources.adoptions import Adoption, read_adoptions

def adoption(plan):
    tables = dict(plan.tables.values())
    return Adoption(domain=plan.domain, schema=plan.schema, apps=plan.apps, tables=tables,
                    date=datetime.date(2026, 11, 29))

plan = code_plan.plan_code("lab", ["lab"])
answer = {"plan": plan.as_json(), "tables": plan.tables}
if sys.argv[1] == "write":
    answer["proof"] = code_plan.prove_code(plan)
    code_plan.write_code(plan, adoption(plan))
print(json.dumps(answer))
"""
UNDO = """
import django
django.setup()
from domain_migrations.api.adopt import code_plan
from domain_migrations.engine.sources.adoptions import read_adoptions
(adoption,) = read_adoptions(["lab"])
code_plan.undo_code(adoption)
"""


def _contents(project: Project) -> dict[str, bytes]:
    return {
        str(path.relative_to(project.path)): path.read_bytes()
        for path in sorted(project.path.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _run(project: Project, script: str, *arguments: str) -> Any:
    output = project.python("-c", script, *arguments)
    return json.loads(output) if output else None


def test_the_code_of_an_app_becomes_a_domain_s_and_back(project: Callable[..., Project]) -> None:
    migrations = {"0001_initial": FIRST, "0002_sql": SECOND}
    lab = project({"lab": plain_app(models=LAB_MODELS, migrations=migrations)})
    before = _contents(lab)
    answer = _run(lab, SCRIPT, "write")
    plan = answer["plan"]
    assert plan["blockers"] == []
    assert plan["files"] == ["lab/apps.py", "lab/models.py", "lab/migrations/0001_initial.py"]
    (mention,) = plan["mentions"]
    assert mention == {
        "path": "lab/migrations/0002_sql.py",
        "line": 5,
        "table": "lab_sample",
        "text": "UPDATE lab_sample SET code = 'x'",
        "in_migration": True,
    }
    assert answer["tables"] == {
        "lab.Tag": ["lab_tag", "lab_tag"],
        "lab.Sample": ["lab_sample", "lab_sample"],
        "lab.Sample.tags": ["lab_sample_tags", "lab_sample_tags"],
    }
    assert answer["proof"] == (
        'the domain "lab" cannot be applied to an empty database: Migration lab.0002_sql failed at'
        ' operation 1 of 1 (Raw SQL operation): relation "lab_sample" does not exist.'
    )

    after = _contents(lab)
    assert after.keys() - before.keys() == {
        "lab/apps.py",
        "lab/migrations/adoption.toml",
        "lab/migrations/adoption_code.json",
    }
    assert (
        b'class Meta(Timed.Meta):\n        db_table = \'"lab"."lab_sample"\''
        in after["lab/models.py"]
    )
    for name in plan["files"]:
        assert f"+++ b/{name}" in plan["diff"]
    checked = lab.manage("makemigrations", "--check", "--dry-run")
    assert checked.stdout == "No changes detected\n", checked.stderr

    _run(lab, UNDO)
    restored = _contents(lab)
    declaration = restored.pop("lab/migrations/adoption.toml")
    assert restored == before
    assert b"undo = true" in declaration


def test_what_blocks_is_found_with_the_planned_code(project: Callable[..., Project]) -> None:
    """A foreign key into the app, a model change without a migration, a made-up model."""
    models = LAB_MODELS.replace("max_length=9", "max_length=8")
    ward = project(
        {
            "lab": plain_app(models=models, migrations={"0001_initial": FIRST}),
            "wards": plain_app(models=USER),
        }
    )
    before = _contents(ward)
    blockers = _run(ward, SCRIPT, "plan")["plan"]["blockers"]
    assert [blocker["message"] for blocker in blockers] == [
        "wards.Ward.sample is a foreign key to lab.Sample, but core may not depend on domains, and"
        ' it belongs to the domain "lab".',
        "The models have a change that is in no migration: lab: Alter field name on tag.",
    ]
    assert _contents(ward) == before


def test_errors_that_were_there_before_do_not_block(project: Callable[..., Project]) -> None:
    bad = "class Bad(models.Model):\n    a = models.CharField(max_length=-1)\n"
    lab = plain_app(models=LAB_MODELS, migrations={"0001_initial": FIRST})
    found = project({"lab": lab, "wards": plain_app(models=bad)})
    assert found.manage("check").returncode == 1
    assert _run(found, SCRIPT, "plan")["plan"]["blockers"] == []


def test_the_models_of_a_package_have_to_be_written_in_the_project(
    project: Callable[..., Project],
) -> None:
    """As in a project's fork of a package's app, which has the same label."""
    models = "import sys\nsys.path.append('site-packages')\nfrom notes.models import Note\n"
    lab = project({"lab": plain_app(models=models, migrations={})})
    note = "class Note(models.Model):\n    class Meta:\n        app_label = 'lab'\n"
    lab.write("site-packages/notes/models.py", f"from django.db import models\n{note}")
    (blocker,) = _run(lab, SCRIPT, "plan")["plan"]["blockers"]
    path = lab.path / "site-packages/notes/models.py"
    assert blocker["message"] == (
        f"{path} belongs to an installed package and has the models Note, which cannot be edited."
    )
    assert blocker["hint"].startswith("Write these models into the app's own models.py")


@pytest.mark.parametrize(
    ("domain", "labels", "message"),
    [
        ("lab", ["inventory"], 'The app "inventory" is part of the domain "inventory" already.'),
        ("lab", ["nothing"], "No installed app with label 'nothing'."),
    ],
)
def test_apps_that_cannot_be_adopted(domain: str, labels: list[str], message: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        code_plan.plan_code(domain, labels)
    assert caught.value.message == message


@pytest.mark.parametrize("label", ["auth", "domain_migrations"])
def test_packages_cannot_be_adopted(label: str) -> None:
    """Nor can the engine, which is not installed here, but run from a checkout."""
    plan = code_plan.plan_code("accounts", [label])
    (blocker,) = plan.blockers
    assert blocker.message == f'The app "{label}" is an installed package, which cannot be edited.'
    assert blocker.hint.startswith("MIGRATION_MODULES can replace a package's migrations, but not")
    assert plan.changes == ()


def test_libcst_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcst", None)
    monkeypatch.setattr(code_plan.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidConfiguration) as caught:
        code_plan.plan_code("lab", ["core"])
    assert caught.value.hint == 'Run: pip install "libcst>=1.8"'


BEFORE = b"a\r\nb\nc \xff\x0b\nlast"
AFTER = b"a\r\nB\nand\nc \xff\x0b\n"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A record of an edited file and a new one, which are written."""
    edited, new, record = (tmp_path / name for name in ("a.py", "new/b.py", "adoption_code.json"))
    edited.write_bytes(BEFORE)
    changes = [FileChange(edited, BEFORE, AFTER), FileChange(new, None, b"new")]
    text = code_undo.record_text(changes, tmp_path)
    apply_changes([*changes, FileChange(record, None, text)])
    return record


def test_the_record_restores_every_byte(recorded: Path) -> None:
    apply_changes(code_undo.restoring_changes(recorded))
    files = [path for path in recorded.parent.rglob("*") if path.is_file()]
    assert files == [recorded.parent / "a.py"]
    assert files[0].read_bytes() == BEFORE


def test_later_edits_are_kept(recorded: Path) -> None:
    path = recorded.parent / "a.py"
    path.write_bytes(b"first\n" + AFTER + b"more")
    apply_changes(code_undo.restoring_changes(recorded))
    assert path.read_bytes() == b"first\na\r\nb\nc \xff\x0b\nlastmore"


@pytest.mark.parametrize("content", [AFTER.replace(b"B", b"X"), None])
def test_changed_lines_of_the_adoption_are_refused(recorded: Path, content: bytes | None) -> None:
    path = recorded.parent / "a.py"
    path.write_bytes(content) if content else path.unlink()
    with pytest.raises(InvalidConfiguration) as caught:
        code_undo.restoring_changes(recorded)
    assert caught.value.message == (
        f"What the adoption wrote into {path} was changed later, so it cannot be taken back."
    )


def test_changed_files_of_the_adoption_are_refused(recorded: Path) -> None:
    (recorded.parent / "new/b.py").write_bytes(b"mine")
    with pytest.raises(InvalidConfiguration, match="cannot be taken back"):
        code_undo.restoring_changes(recorded)


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="json, cannot be read"):
        code_undo.restoring_changes(tmp_path / "adoption_code.json")


def test_deletions_are_undone_when_a_later_change_fails(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"a")
    second.write_bytes(b"changed")
    changes = [FileChange(first, b"a", None), FileChange(second, b"b", b"c")]
    with pytest.raises(InvalidConfiguration, match="was changed by someone else"):
        apply_changes(changes)
    assert first.read_bytes() == b"a"
