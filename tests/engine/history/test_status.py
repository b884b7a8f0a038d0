"""The status where a squashed migration is applied in part."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.catalog import history, query, snapshot
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

FIRST = """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={"db_table": '"hr"."things"'})]
"""
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_initial")]
    operations = [migrations.AddField("Thing", "width", models.IntegerField(null=True))]
"""
SQUASH = """
class Migration(migrations.Migration):
    replaces = [("hr", "0001_initial"), ("hr", "0002_width")]
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("width", models.IntegerField(null=True)),
    ], options={"db_table": '"hr"."things"'})]
"""
THIRD = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_squashed")]
    operations = [migrations.AddField("Thing", "depth", models.IntegerField(null=True))]
"""
MISSING = (
    "hr.0002_width is not applied and not on disk: a squashed migration replaces it, of which other"
    " parts are applied."
)
HINT = (
    "First migrate with an earlier release that still has the files. For a migration whose changes"
    " are in the database already, run: manage.py repair_domain hr --mark-applied hr.0002_width"
)


@pytest.mark.parametrize("later", [{}, {"0002_depth": THIRD}], ids=["alone", "with-dependants"])
def test_squash_that_is_applied_in_part_without_the_other_files(
    hr_migrations: TemporaryMigrations, call: Call, later: dict[str, str]
) -> None:
    with hr_migrations.release({"0001_initial": FIRST}):
        call("migrate_domain", "hr")
    with hr_migrations.release({"0001_squashed": SQUASH, **later}):
        before = snapshot()
        for option in ([], ["--check"], ["--strict"], ["--plan"], ["--dry-run"]):
            result = call("migrate_domain", "hr", *option, "--format=json")
            assert result.exit_status == 1, option
            (domain,) = json.loads(result.stdout)["domains"]
            assert domain["error"]["message"] == MISSING
            assert domain["error"]["hint"] == HINT
        assert call("migrate").exit_status == call("migrate", "hr").exit_status == 1
        shown = call("show_domains", "hr").stdout
        assert "  [ ] hr.0002_width (replaced, not on disk)\n" in shown
        found = json.loads(call("verify_domain", "hr", "--only=history", "--format=json").stdout)
        assert (found["findings"][0]["id"], found["findings"][0]["message"]) == ("H006", MISSING)
        assert call("lint_domain", "hr").exit_status == 0 or later
        assert snapshot() == before


def test_squash_that_is_applied_in_part_and_by_hand(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release({"0001_initial": FIRST}):
        call("migrate_domain", "hr")
    with hr_migrations.release({"0001_squashed": SQUASH, "0002_depth": THIRD}):
        name = HINT.rpartition(" ")[2]
        assert call("repair_domain", "hr", "--mark-applied", name, "--noinput").exit_status == 0
        assert call("migrate_domain", "hr").exit_status == 0
        assert {name for _, name in history("hr.django_migrations_hr")} == {
            "0001_initial",
            "0002_width",
            "0001_squashed",
            "0002_depth",
        }


def test_squash_that_is_applied_in_part_with_the_other_files(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release({"0001_initial": FIRST}):
        call("migrate_domain", "hr")
    files = {"0001_initial": FIRST, "0002_width": SECOND, "0001_squashed": SQUASH}
    with hr_migrations.release(files):
        assert call("migrate_domain", "hr").exit_status == 0
    with hr_migrations.release({"0001_squashed": SQUASH, "0002_depth": THIRD}):
        assert call("migrate_domain", "hr").exit_status == 0
        assert call("migrate_domain", "hr", "--check").exit_status == 0
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'hr.things'::regclass AND attnum > 0"
    ) == [(3,)]
