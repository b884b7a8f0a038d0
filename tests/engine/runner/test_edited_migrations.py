"""Migrations edited after they were applied: a warning, or an error with `--strict`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.catalog import execute, query, tables
from tests.support.temporary_migrations import TemporaryMigrations

FIRST = """
class Migration(migrations.Migration):
    operations = [migrations.RunSQL("CREATE TABLE hr.notes (id int)", "DROP TABLE hr.notes")]
"""
EDITED = FIRST.replace("id int", "id bigint")
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_notes")]
    operations = [migrations.RunSQL("CREATE TABLE hr.more (id int)", "DROP TABLE hr.more")]
"""
MESSAGE = "hr.0001_notes was edited after it had been applied."
HINT = (
    "Revert the edit, or review it and run: manage.py repair_domain hr --accept-checksum 0001_notes"
)


@pytest.fixture
def hr(
    hr_migrations: TemporaryMigrations, call: Callable[..., Any]
) -> Iterator[TemporaryMigrations]:
    execute("CREATE TABLE public.more (note text)")
    with hr_migrations.release({"0001_notes": FIRST}):
        assert call("migrate_domain", "hr").exit_status == 0
    yield hr_migrations
    assert query("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
                 " AND table_name = 'more'") == [("note",)]  # fmt: skip


def test_edited__warns_and_continues(hr: TemporaryMigrations, call: Callable[..., Any]) -> None:
    with hr.release({"0001_notes": EDITED, "0002_more": SECOND}):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 0
    assert result.stderr == f"Warning: {MESSAGE} {HINT}\n"
    assert "more" in tables("hr")


def test_edited__strict_refuses(hr: TemporaryMigrations, call: Callable[..., Any]) -> None:
    with hr.release({"0001_notes": EDITED, "0002_more": SECOND}):
        result = call("migrate_domain", "hr", "--strict", "--format=json")
        assert result.exit_status == 1
        (domain,) = json.loads(result.stdout)["domains"]
        assert domain["status"] == "refused"
        assert domain["error"] == {
            "code": "checksum",
            "message": MESSAGE,
            "hint": HINT,
            "sqlstate": None,
        }
        assert "more" not in tables("hr")
        assert (
            call("repair_domain", "hr", "--accept-checksum", "0001", "--noinput").exit_status == 0
        )
        assert call("migrate_domain", "hr", "--strict").exit_status == 0
    assert "more" in tables("hr")


def test_edited__nothing_pending(hr: TemporaryMigrations, call: Callable[..., Any]) -> None:
    with hr.release({"0001_notes": EDITED}):
        assert call("migrate_domain", "hr").stderr == ""
        result = call("migrate_domain", "hr", "--strict")
    assert (result.exit_status, result.stderr) == (1, f"CommandError: {MESSAGE} {HINT}\n")


def test_edited__plan_and_check(hr: TemporaryMigrations, call: Callable[..., Any]) -> None:
    with hr.release({"0001_notes": EDITED, "0002_more": SECOND}):
        assert call("migrate_domain", "hr", "--plan").stderr == f"Warning: {MESSAGE} {HINT}\n"
        assert call("migrate_domain", "hr", "--check", "--strict").exit_status == 1
    assert "more" not in tables("hr")
