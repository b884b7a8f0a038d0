"""Batches to revert, with squashed migrations in place of those that were applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.catalog import execute, history, query, snapshot
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

THINGS = """
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)), {more}
    ], options={{"db_table": '"hr"."things"'}})]
"""
FIRST = f"class Migration(migrations.Migration):{THINGS.format(more='')}"
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_initial")]
    operations = [migrations.AddField("Thing", "width", models.IntegerField(null=True))]
"""
SQUASH = (
    "class Migration(migrations.Migration):\n"
    '    replaces = [("hr", "0001_initial"), ("hr", "0002_width")]\n'
    + THINGS.format(more='("width", models.IntegerField(null=True)),')
)
STEPS = {"0001_initial": FIRST, "0002_width": SECOND}
BOTH = {**STEPS, "0001_squashed": SQUASH}
THIRD = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_squashed")]
    operations = [migrations.AddField("Thing", "depth", models.IntegerField(null=True))]
"""
REFUSED = {
    "code": "unknown_target",
    "message": "hr.0002_width of the batch to revert has been replaced by hr.0001_squashed, which"
    " covers more than the batch, so the batch cannot be reverted alone.",
    "hint": "Revert more batches, or give a TARGET. Nothing was changed.",
    "sqlstate": None,
}


def migrate_json(call: Call, *arguments: str) -> Any:
    result = call("migrate_domain", "hr", *arguments, "--format=json")
    (domain,) = json.loads(result.stdout)["domains"]
    return domain


def names(keys: list[dict[str, Any]]) -> list[str]:
    return [key["name"] for key in keys]


def test_rollback_keeps_a_squash_that_was_only_recorded(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    execute("CREATE TABLE public.things (id int)")
    with hr_migrations.release(STEPS):
        assert names(migrate_json(call, "0001")["applied"]) == ["0001_initial"]
        assert names(migrate_json(call)["applied"]) == ["0002_width"]
    with hr_migrations.release(BOTH):
        assert migrate_json(call)["status"] == "unchanged"
        assert names_in_history() == {"0001_initial", "0002_width", "0001_squashed"}
        before = snapshot()
        assert migrate_json(call, "--rollback")["error"] == REFUSED
        assert migrate_json(call, "--rollback", "--plan")["error"] == REFUSED
        assert snapshot() == before
        reverted = migrate_json(call, "--rollback", "2")
        assert (names(reverted["reverted"]), names_in_history()) == (["0001_squashed"], set())
    assert query("SELECT to_regclass('hr.things')::text, to_regclass('public.things')::text") == [
        (None, "things")
    ]


def test_rollback_of_migrations_after_the_squash(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(STEPS):
        migrate_json(call)
    with hr_migrations.release({**BOTH, "0003_depth": THIRD}):
        assert names(migrate_json(call)["applied"]) == ["0003_depth"]
        assert names(migrate_json(call, "--rollback")["reverted"]) == ["0003_depth"]
        # All that it replaces is in the batch before.
        assert names(migrate_json(call, "--rollback")["reverted"]) == ["0001_squashed"]


def test_rollback_of_a_squash_that_has_run(hr_migrations: TemporaryMigrations, call: Call) -> None:
    with hr_migrations.release(STEPS):
        migrate_json(call)
        migrate_json(call, "zero")
    with hr_migrations.release({**BOTH, "0003_depth": THIRD}):
        assert names(migrate_json(call, "0001_squashed")["applied"]) == ["0001_squashed"]
        assert names(migrate_json(call)["applied"]) == ["0003_depth"]
        assert names(migrate_json(call, "--rollback")["reverted"]) == ["0003_depth"]
        assert names(migrate_json(call, "--rollback")["reverted"]) == ["0001_squashed"]
        assert migrate_json(call, "--rollback")["status"] == "unchanged"


def test_rollback_where_the_replaced_ones_are_deleted(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(STEPS):
        migrate_json(call)
    with hr_migrations.release(BOTH):
        migrate_json(call)
    with hr_migrations.release({"0001_squashed": SQUASH.replace("replaces", "replaced")}):
        before = snapshot()
        assert migrate_json(call, "--rollback")["error"]["message"] == (
            "hr.0002_width, hr.0001_initial of the batch to revert are not on disk."
        )
        assert snapshot() == before


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["core", "0003"], "Give more of the name, or APP.NAME, such as core.0003_"),
        (
            ["core", "core"],
            '"core" is not a migration; core is an app of the domain "core". For all migrations of'
            " this app, run: manage.py migrate core",
        ),
        (
            ["core", "core.zero"],
            '"core.zero" is not a migration; core is an app of the domain "core". For all'
            " migrations of this app, run: manage.py migrate core zero",
        ),
        (
            ["core.0003"],
            'There is no domain "core.0003". A target is an argument of its own: "core core.0003"'
            ' or "core 0003". The domains are',
        ),
        (
            ["hr", "core.0003"],
            'The app of core.0003 belongs to the domain "core", not to "hr". Run: manage.py'
            " migrate_domain core core.0003",
        ),
    ],
)
def test_the_app_core_is_told_from_the_domain_core(
    migrated_module_database: str, call: Call, arguments: list[str], answer: str
) -> None:
    result = call("migrate_domain", *arguments, "--plan")
    status = 2 if arguments == ["core.0003"] else 1  # An unknown domain is a usage error.
    assert (result.exit_status, answer in result.stderr) == (status, True), result.stderr


def names_in_history() -> set[str]:
    return {name for _, name in history("hr.django_migrations_hr")}
