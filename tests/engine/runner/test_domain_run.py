"""The results of runs that an error has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
import pytest
from django.apps import apps
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import Signal

from domain_migrations.engine.runner import snapshot_restore
from tests.support.catalog import query
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

FIRST = """
def fail(apps, schema_editor):
    raise ValueError("no way back")

class Migration(migrations.Migration):
    operations = [migrations.RunPython(migrations.RunPython.noop, fail)]
"""
NEXT = """
class Migration(migrations.Migration):
    dependencies = [("hr", "{}")]
    operations = []
"""
STEPS = {
    "0001_initial": FIRST,
    "0002_second": NEXT.format("0001_initial"),
    "0003_third": NEXT.format("0002_second"),
}


def run_json(call: Call, *arguments: str, **options: Any) -> Any:
    result = call("migrate_domain", "hr", *arguments, "--format=json", **options)
    (domain,) = json.loads(result.stdout)["domains"]
    return domain


def names(keys: list[dict[str, Any]]) -> list[str]:
    return [key["name"] for key in keys]


@pytest.mark.parametrize("applied", ["0002_second", "0003_third"])
def test_what_was_reverted_before_an_error_is_pending(
    hr_migrations: TemporaryMigrations, call: Call, applied: str
) -> None:
    with hr_migrations.release(STEPS):
        assert run_json(call, applied)["status"] == "migrated"
        failed = run_json(call, "zero", "--noinput")
        assert (failed["status"], failed["error"]["code"]) == ("failed", "migration_failed")
        assert names(failed["reverted"])[-1] == "0002_second"
        assert names(failed["pending"]) == ["0002_second", "0003_third"]
        assert run_json(call, "--check")["pending"] == failed["pending"]


@contextmanager
def broken(signal: Signal) -> Iterator[None]:
    def fail(**kwargs: Any) -> None:
        raise RuntimeError("cannot do this\nnor that")

    config = apps.get_app_config("hr")
    signal.connect(fail, sender=config)
    try:
        yield
    finally:
        signal.disconnect(fail, sender=config)


@pytest.mark.parametrize("signal", [pre_migrate, post_migrate])
def test_receiver_of_a_signal_of_django_that_fails(
    migrated_database: str, call: Call, signal: Signal
) -> None:
    assert call("migrate_domain", "hr", "0012").exit_status == 0
    with broken(signal):
        failed = run_json(call)
    assert failed["status"] == "failed"
    error = failed["error"]
    assert error["code"] == "migration_failed"
    assert re.fullmatch(
        r"A receiver of pre_migrate or post_migrate failed: RuntimeError: cannot do this"
        r" \(tests/engine/runner/test_domain_run.py, line \d+, in fail\)\.",
        error["message"],
    )
    assert error["hint"] == "What is applied is recorded; the next run sends the signal again."
    assert error["traceback"].endswith("RuntimeError: cannot do this\nnor that\n")
    assert last_error() == failed["error"]["message"]


def test_plan_that_post_migrate_owes_to_a_run_that_stopped_before_it(
    migrated_database: str, call: Call
) -> None:
    """Django's receiver renames permissions after the models that the plan renames."""
    received: list[list[tuple[str, bool]]] = []

    def receive(plan: Any, **arguments: Any) -> None:
        received.append([(migration.name, backwards) for migration, backwards in plan])

    with broken(post_migrate):
        assert run_json(call, "0011", "--noinput")["status"] == "failed"
        assert run_json(call, "0012")["status"] == "failed"
    post_migrate.connect(receive, sender=apps.get_app_config("hr"))
    try:
        assert run_json(call)["status"] == "migrated"
        assert run_json(call, "--signals")["status"] == "unchanged"
    finally:
        post_migrate.disconnect(receive, sender=apps.get_app_config("hr"))
    assert received == [
        [
            ("0013_alter_verbose_names", True),
            ("0012_assignment_location", True),
            ("0012_assignment_location", False),
            ("0013_alter_verbose_names", False),
        ],
        [],
    ]


@pytest.mark.skipif(django.VERSION < (6, 1), reason="Django renames permissions from 6.1.")
def test_permissions_of_a_renamed_model_follow_after_a_run_that_stopped_before(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    create = """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Kind", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={"db_table": '"hr"."kinds"'})]
"""
    rename = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_initial")]
    operations = [migrations.RenameModel("Kind", "Sort")]
"""
    with hr_migrations.release({"0001_initial": create}):
        run_json(call)
    permissions = "SELECT id FROM public.auth_permission WHERE codename LIKE 'change_{}'"
    before = query(permissions.format("kind"))
    with hr_migrations.release({"0001_initial": create, "0002_sort": rename}):
        with broken(post_migrate):
            assert run_json(call)["status"] == "failed"
        assert run_json(call)["status"] == "unchanged"
    assert query(permissions.format("sort")) == before != []


def test_receiver_of_a_signal_of_django_that_fails__nothing_to_migrate(
    migrated_database: str, call: Call
) -> None:
    with broken(post_migrate):
        result = call("migrate", "hr", run_syncdb=True, verbosity=0)
    assert result.exit_status == 1
    assert (
        "A receiver of pre_migrate or post_migrate failed: RuntimeError: cannot do this"
        in result.stderr
    )


def test_error_of_something_else(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("cannot do this")

    assert call("migrate_domain", "hr", "0012").exit_status == 0
    monkeypatch.setattr(snapshot_restore, "restore_snapshot", fail)
    failed = run_json(call)
    message = "An unexpected error has ended the run: RuntimeError: cannot do this (tests/"
    assert failed["error"]["message"].startswith(message)
    assert failed["error"]["hint"] == (
        "What is applied is recorded. Correct the cause, and run the command again."
    )
    assert last_error() == failed["error"]["message"]


def last_error() -> str:
    ((error,),) = query(
        "SELECT error FROM hr.django_migrations_hr_journal ORDER BY id DESC LIMIT 1"
    )
    return str(error)


def test_a_column_that_a_view_or_a_generated_column_uses_is_not_dropped(
    pending: Callable[..., None], call: Call
) -> None:
    """As since Django 6.1; before, Django drops them too, without a word."""
    pending(
        "hr",
        f0101_size="""
    operations = [
        migrations.AddField("position", "size", models.IntegerField(default=1)),
        migrations.AddField("position", "twice", models.GeneratedField(
            expression=models.F("size") * 2, output_field=models.IntegerField(),
            db_persist=True)),
        migrations.RunSQL("CREATE VIEW hr.sizes AS SELECT size FROM hr.positions", ""),
    ]
    """,
        f0102_drop="""
    operations = [migrations.RemoveField("position", "size")]
    """,
    )
    result = call("migrate_domain", "hr", format="json")
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert (result.exit_status, error["code"], error["sqlstate"]) == (
        1,
        "migration_failed",
        "2BP01",
    )
    for dependent in ("column twice of table hr.positions", "view hr.sizes"):
        assert f"{dependent} depends on column size of table hr.positions" in error["message"]
    assert "Drop what depends on it in an operation before this one" in error["hint"]
    assert query("SELECT size, twice FROM hr.positions LIMIT 0") == []
    assert query("SELECT * FROM hr.sizes LIMIT 0") == []
