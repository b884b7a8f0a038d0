"""The journal: who ran what, where and when, and never a row's data."""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
from collections.abc import Callable
from typing import Any

import django
import pytest
from django.apps import apps
from django.db import connections
from django.db.models.signals import post_migrate
from django.test import override_settings
from django.utils.timezone import now

import domain_migrations
from domain_migrations.domains import Domain
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.run_context import RunContext
from tests.support.catalog import execute, query
from tests.support.commands import ROOT, Result

Call = Callable[..., Result]
JOURNAL = "finance.django_migrations_finance_journal"
ADDS_COLUMN = "0011_invoice_purchase_order"
LAST_RUN = f"""
SELECT row_to_json(j)::text FROM {JOURNAL} j
WHERE run = (SELECT run FROM {JOURNAL} ORDER BY id DESC LIMIT 1) ORDER BY id
"""


def last_run() -> list[dict[str, Any]]:
    return [json.loads(row) for (row,) in query(LAST_RUN)]


def test_a_batch_that_no_number_follows_is_refused_with_its_row(
    migrated_database: str, call: Call
) -> None:
    insert = (
        f'INSERT INTO {JOURNAL} SELECT (jsonb_populate_record(j, \'{{"id": 900, "batch":'
        f" 2147483647}}')).* FROM {JOURNAL} j WHERE direction = 'forwards' LIMIT 1"
    )
    execute(insert)
    try:
        result = call("migrate_domain", "finance", "0010")
    finally:
        execute(f"DELETE FROM {JOURNAL} WHERE id = 900")
    assert result.exit_status == 1
    assert f"Row 900 of {JOURNAL} has the batch 2147483647" in result.stderr
    assert call("migrate_domain", "finance", "--check").exit_status == 0


@pytest.mark.parametrize("table", [JOURNAL, JOURNAL.removesuffix("_journal")])
def test_a_sequence_of_used_numbers_is_named_with_the_statement_that_sets_it(
    migrated_database: str, call: Call, table: str
) -> None:
    call("migrate_domain", "finance", "0010")
    execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART")
    result = call("migrate_domain", "finance")
    assert result.exit_status == 1
    assert f"The sequence of {table}.id gives numbers that its rows have" in result.stderr
    assert "Name the one in the column's default" in result.stderr
    execute(result.stderr.partition("Set it: ")[2])
    assert call("migrate_domain", "finance").exit_status == 0


def test_every_row_records_user_host_and_versions(migrated_database: str, call: Call) -> None:
    for target in ("0011", "0010"):
        assert call("migrate_domain", "finance", target).exit_status == 0
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    begun, reverted, done = last_run()
    for row in (begun, reverted, done):
        assert row["database_user"] == query("SELECT current_user")[0][0]
        assert row["os_user"] == getpass.getuser()
        assert row["host"] == socket.gethostname()
        assert row["project_version"] == head.stdout.strip()
        assert row["engine_version"] == domain_migrations.__version__
        assert row["django_version"] == django.__version__
        assert (row["error"], row["sqlstate"]) == ("", "")
    assert (reverted["app"], reverted["name"]) == ("finance", ADDS_COLUMN)
    assert (reverted["direction"], reverted["status"]) == ("backwards", "done")
    assert reverted["batch"] > 0
    assert reverted["seconds"] > 0
    assert reverted["checksum"]
    assert reverted["footprint"]["finance.invoices"] == "AccessExclusiveLock"
    assert [(row["direction"], row["status"], row["batch"]) for row in (begun, done)] == [
        *(("run", "running", 0), ("run", "done", 0))
    ]
    with override_settings(DOMAIN_MIGRATIONS={"PROJECT_VERSION": "2026.11"}):
        assert call("migrate_domain", "finance").exit_status == 0
    assert {row["project_version"] for row in last_run()} == {"2026.11"}


def test_failure_is_recorded_with_its_sqlstate_and_without_detail(
    migrated_database: str, call: Call
) -> None:
    assert call("migrate_domain", "finance", "0010").exit_status == 0

    name = "Miller"  # A literal in the statement would be code, which the traceback shows.

    def insert_twice(**kwargs: Any) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE twice (secret text PRIMARY KEY)")
            cursor.execute("INSERT INTO twice VALUES (%s), (%s)", [name, name])

    config = apps.get_app_config("finance")
    post_migrate.connect(insert_twice, sender=config)
    try:
        result = call("migrate_domain", "finance", "0011")
    finally:
        post_migrate.disconnect(insert_twice, sender=config)
    assert result.exit_status == 1
    begun, applied, failed = last_run()
    assert (applied["name"], applied["status"]) == (ADDS_COLUMN, "done")
    assert (failed["direction"], failed["status"], failed["sqlstate"]) == (
        *("run", "failed", "23505"),
    )
    assert 'duplicate key value violates unique constraint "twice_pkey"' in failed["error"]
    assert name not in json.dumps([begun, applied, failed]) + result.stderr


@pytest.mark.parametrize("text", ["a\0b", "a\udc80b", "a\\u0000b", "ข้อผิดพลาด"])
def test_any_error_text_can_be_recorded(scratch_database: str, text: str) -> None:
    execute("CREATE TABLE public.django_migrations_lab_journal (id int)")
    journal = Journal(connections["default"], Domain("lab", "lab", ("lab",)), RunContext())
    journal.open()
    journal.write(
        "failed", "hook", name=text * 100, started=now(), error=text, details={"output": [text]}
    )
    ((name, error, output),) = query(
        "SELECT name, error, details -> 'output' ->> 0 FROM lab.django_migrations_lab_journal"
    )
    assert len(name) <= 255
    assert error.startswith(text[0])
    assert error.endswith(text[-1])
    assert output.startswith(text[0])
    assert query("SELECT count(*) FROM public.django_migrations_lab_journal") == [(0,)]
