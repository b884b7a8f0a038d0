"""Migrations of installed packages that end transactions themselves."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.catalog import query
from tests.support.projects import CONTRIB, ROOT, Project, plain_app

Write = Callable[..., Project]

MIGRATION = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Node", fields=[("id", models.BigAutoField(primary_key=True))]),
        {},
        migrations.AddField("node", "name", models.TextField(default="")),
    ]
"""
LAST = "ALTER TABLE base_node ADD last int"
TEXT = f"BEGIN; ALTER TABLE base_node ADD note text; COMMIT; {LAST}"
STATEMENTS = ["ALTER TABLE base_node ADD note text", "COMMIT", "VACUUM base_node", "BEGIN"]
SQL = f"migrations.RunSQL({TEXT!r}, migrations.RunSQL.noop)"
CODE = f"""migrations.RunPython(
    lambda apps, editor: [editor.execute(text) for text in {[*STATEMENTS, LAST]!r}],
    migrations.RunPython.noop,
)"""
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = 'base_node'::regclass AND attnum > 0"
WARNING = (
    "Migration base.0001_initial, of an installed package, ends transactions itself, so it runs"
    " without one: if it fails, what it has committed is kept."
)


Manage = Callable[..., subprocess.CompletedProcess[str]]


def install(project: Write, operation: str) -> Manage:
    """Write a project with the app in a folder as of installed packages; return its manage.py."""
    foreign = project({}, settings={"INSTALLED_APPS": ["domain_migrations", *CONTRIB, "base"]})
    for name, source in plain_app(migrations={"0001_initial": MIGRATION.format(operation)}).items():
        foreign.write(f"site-packages/base/{name}", source)
    path = f"{ROOT}{os.pathsep}{foreign.path / 'site-packages'}"
    return partial(foreign.manage, PYTHONPATH=path)


@pytest.mark.parametrize("command", ["migrate", "migrate_domain core"])
@pytest.mark.parametrize("operation", [SQL, CODE], ids=["sql", "python"])
def test_they_run_without_one(project: Write, operation: str, command: str) -> None:
    manage = install(project, operation)
    result = manage(*command.split())
    assert result.returncode == 0, result.stderr
    assert WARNING in " ".join((result.stdout + result.stderr).split())
    assert [name for (name,) in query(COLUMNS)] == ["id", "note", "last", "name"]
    assert manage("migrate", "--check").returncode == 0
    assert manage("verify_domain", "core").returncode == 0
