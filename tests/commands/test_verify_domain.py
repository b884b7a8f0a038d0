"""The output and exit status of `verify_domain`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.catalog import HISTORIES, execute, snapshot
from tests.support.projects import domain_app

MODELS = """
class Drug(models.Model):
    class Meta:
        db_table = '"inventory"."drugs"'
"""
INITIAL = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Drug",
            [("id", models.BigAutoField(primary_key=True))],
            options={"db_table": '"inventory"."drugs"'},
        ),
        migrations.RunSQL(
            "CREATE TABLE inventory.by_sql (id int)", "DROP TABLE inventory.by_sql"
        ),
    ]
"""
ON_HR = """
class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial"), ("hr", "0001_initial")]
    operations = []
"""
EMPTY = """
class Migration(migrations.Migration):
    operations = []
"""
HEADER = "from django.db import migrations, models\n"


def inventory() -> dict[str, Any]:
    return {
        "inventory": domain_app("inventory", models=MODELS, migrations={"0001_initial": INITIAL})
    }


def findings(result: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(result.stdout)["findings"]
    return found


def test_nothing_found_is_status_0(migrated_database: str, manage: Callable[..., Any]):
    text = manage("verify_domain")
    assert (text.stdout, text.stderr, text.returncode) == ("Nothing found.\n", "", 0)
    machine = manage("verify_domain", "inventory", "--format", "json")
    assert json.loads(machine.stdout) == {"format": 1, "database": "default", "findings": []}
    assert (machine.stderr, machine.returncode) == ("", 0)


def test_an_empty_database_stays_empty(scratch_database: str, manage: Callable[..., Any]):
    result = manage("verify_domain")
    assert (result.stdout, result.stderr, result.returncode) == ("Nothing found.\n", "", 0)
    assert list(snapshot()) == ["public"]


def test_something_found_is_status_1(migrated_database: str, call: Callable[..., Any]):
    execute("ALTER TABLE inventory.drugs ADD CONSTRAINT late CHECK (id > 0) NOT VALID")
    execute("CREATE TABLE public.decoy (id int)")
    message = "The constraint inventory.drugs.late was never validated: older rows may violate it."
    hint = (
        "Validate it with ValidateConstraint in a migration, or: ALTER TABLE inventory.drugs"
        " VALIDATE CONSTRAINT late;"
    )
    before = snapshot()
    text = call("verify_domain", "inventory", "--only", "boundary,leftover")
    assert text.stdout == f"L006 {message}\n     {hint}\n"
    assert (text.stderr, text.exit_status) == ("CommandError: 1 found.\n", 1)
    machine = call("verify_domain", "inventory", "--only", "leftover", "--format", "json")
    assert json.loads(machine.stdout) == {
        "format": 1,
        "database": "default",
        "findings": [
            {
                "id": "L006",
                "kind": "leftover",
                "domain": "inventory",
                "object": "inventory.drugs.late",
                "message": message,
                "hint": hint,
            }
        ],
    }
    assert machine.exit_status == 1
    assert call("verify_domain", "hr", "--only", "leftover").exit_status == 0
    assert snapshot() == before


def test_usage_errors_are_status_2(postgres_server: Any, manage: Callable[..., Any]):
    result = manage("verify_domain", "--only", "drift,spelling")
    assert (result.stdout, result.returncode) == ("", 2)
    assert result.stderr == (
        "CommandError: --only has no kind spelling. The kinds are history, checksum, drift,"
        " boundary, leftover.\n"
    )
    assert manage("verify_domain", "--format", "xml").returncode == 2


def test_an_unknown_domain_is_refused(postgres_server: Any, call: Callable[..., Any]):
    result = call("verify_domain", "inventroy")
    assert result.stderr == (
        'CommandError: There is no domain "inventroy". Did you mean "inventory"? The domains are'
        f" {', '.join(HISTORIES)}.\n"
    )
    assert result.exit_status == 2


def test_no_database_is_status_75(scratch_database: str, manage: Callable[..., Any]):
    result = manage("verify_domain", "--format", "json", DATABASE_PORT="1", DATABASE_HOST="::1")
    assert (result.stdout, result.returncode) == ("", 75)
    assert 'The database "default"' in result.stderr


def test_edits_are_found_until_they_are_accepted(project: Callable[..., Any]):
    there = project(inventory())
    assert there.manage("migrate_domain", "--all").returncode == 0
    assert there.manage("verify_domain").returncode == 0
    path = "inventory/migrations/0001_initial.py"
    there.write(path, HEADER + "# A comment does not count.\n\n" + INITIAL)
    assert there.manage("verify_domain").returncode == 0
    there.write(path, HEADER + INITIAL.replace("initial = True", "initial = True; stage = 'after'"))
    result = there.manage("verify_domain", "--format", "json")
    assert findings(result) == [
        {
            "id": "C001",
            "kind": "checksum",
            "domain": "inventory",
            "object": "inventory.0001_initial",
            "message": "inventory.0001_initial was edited after it had been applied.",
            "hint": "Revert the edit, or review it and run: manage.py repair_domain inventory"
            " --accept-checksum 0001_initial",
        }
    ]
    assert result.returncode == 1
    accepted = there.manage(
        "repair_domain", "inventory", "--accept-checksum", "0001_initial", "--noinput"
    )
    assert accepted.returncode == 0, accepted.stderr
    assert there.manage("verify_domain").returncode == 0
    there.write(path, "broken = (")
    result = there.manage("verify_domain", "--only", "checksum", "--format", "json")
    assert [item["object"] for item in findings(result)] == ["inventory.0001_initial"]


def test_tables_that_a_migration_makes_with_sql_are_for_information(project: Callable[..., Any]):
    there = project(inventory())
    assert there.manage("migrate_domain", "--all").returncode == 0
    assert there.manage("verify_domain").stdout == "Nothing found.\n"
    assert there.manage("verify_domain", "--only", "leftover").stdout == "Nothing found.\n"
    result = there.manage("verify_domain", "-v", "2")
    assert result.stdout == (
        "U101 The table inventory.by_sql exists only in the database.\nNothing found.\n"
    )
    assert findings(there.manage("verify_domain", "-v", "2", "--format", "json")) == []


def test_migrations_that_depend_on_another_domain_are_found(project: Callable[..., Any]):
    apps = {**inventory(), "hr": domain_app("hr", migrations={"0001_initial": EMPTY})}
    there = project(apps)
    assert there.manage("migrate_domain", "--all").returncode == 0
    there.write("inventory/migrations/0002_on_hr.py", HEADER + ON_HR)
    result = there.manage("verify_domain", "--format", "json")
    assert result.returncode == 1
    assert [(item["id"], item["object"]) for item in findings(result)] == [
        ("H005", "inventory"),
        ("L004", "inventory.0002_on_hr"),
    ]
    leftover = there.manage("verify_domain", "hr", "--only", "leftover", "--format", "json")
    assert findings(leftover) == [
        {
            "id": "L004",
            "kind": "leftover",
            "domain": "inventory",
            "object": "inventory.0002_on_hr",
            "message": "The migration inventory.0002_on_hr makes inventory.0002_on_hr of inventory"
            " depend on hr.0001_initial of hr.",
            "hint": "Remove ('hr', '0001_initial') from dependencies in 0002_on_hr.py: keep the"
            " other's id instead of a foreign key, or move what both need to core. If it is"
            " applied, leave it: convert the foreign keys with ConvertToReference, and add"
            ' former_dependencies = ["hr"] to the class Migration that does it.',
        }
    ]
    history = there.manage("verify_domain", "inventory", "--only", "history", "--format", "json")
    assert [item["message"] for item in findings(history)] == [
        'Migration inventory.0002_on_hr depends on hr.0001_initial: it belongs to the domain "hr".'
    ]


@pytest.mark.parametrize("kind", ["history", "checksum", "drift", "boundary", "leftover"])
def test_each_kind_can_be_checked_alone(
    migrated_module_database: str, call: Callable[..., Any], kind: str
):
    result = call("verify_domain", "--only", kind)
    assert (result.stdout, result.exit_status) == ("Nothing found.\n", 0)
