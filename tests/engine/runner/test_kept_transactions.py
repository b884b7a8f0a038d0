"""Migrations whose SQL would end the transaction of the run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from domain_migrations.engine.runner.kept_transactions import transaction_end
from tests.support.catalog import history, query, tables
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

MIGRATION = """
from django.db import connection
class Migration(migrations.Migration):
    atomic = {atomic}
    operations = [{operations}]
"""
MADE = "CREATE TABLE hr.made (id int);"


def release(operations: str, *, atomic: bool = True) -> dict[str, str]:
    return {"0001_it": MIGRATION.format(operations=operations, atomic=atomic)}


def run_sql(*texts: str) -> str:
    return ", ".join(f"migrations.RunSQL({text!r}, migrations.RunSQL.noop)" for text in texts)


def run_python(*statements: str) -> str:
    calls = ", ".join(f"connection.cursor().execute({text!r})" for text in statements)
    return f"migrations.RunPython(lambda apps, editor: [{calls}])"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("CREATE TABLE t (); COMMIT", "COMMIT"),
        ("select 1;\n-- x\nrollback work; begin", "ROLLBACK"),
        ("BEGIN; SELECT 1; END", "END"),
        ("ABORT AND CHAIN", "ABORT"),
        ("PREPARE TRANSACTION 'a'", "PREPARE TRANSACTION"),
        ("SELECT 'COMMIT'; SELECT \"commit\" FROM t /* ; COMMIT */", None),
        ("SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a", None),
        ("PREPARE commit AS SELECT CASE WHEN true THEN 1 END", None),
        ("DO $$ BEGIN PERFORM 1; COMMIT; END $$", None),
        ("SELECT 1; /* /* a */ b */ COMMIT", "COMMIT"),
        ("SELECT 1; -- COMMIT\nSELECT 2;--x\nCOMMIT", "COMMIT"),
        ("SELECT 1; -- PostgreSQL's comments end here, too\rCOMMIT", "COMMIT"),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; COMMIT", "COMMIT"),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; END", None),
    ],
)
def test_transaction_end(text: str, end: str | None) -> None:
    assert transaction_end(text) == end


def test_long_text_without_transaction_control_is_not_read() -> None:
    started = time.monotonic()
    assert (
        transaction_end("INSERT INTO t VALUES " + "('the end of it; to begin'), " * 50_000) is None
    )
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("operations", "statement"),
    [
        (run_sql(f"{MADE} COMMIT"), "COMMIT"),
        (run_sql(f"{MADE} ROLLBACK"), "ROLLBACK"),
        (run_sql(f"BEGIN; {MADE} COMMIT; SELECT 1/0"), "COMMIT"),
        (run_sql(MADE, "COMMIT", "BEGIN"), "COMMIT"),
        (run_sql(f"{MADE} COMMIT AND CHAIN"), "COMMIT"),
        (run_sql(f"{MADE} PREPARE TRANSACTION 'mine'"), "PREPARE TRANSACTION"),
        (run_python(MADE, "COMMIT"), "COMMIT"),
        (run_python("DELETE FROM finance.invoices", "END"), "END"),
    ],
)
@pytest.mark.parametrize(
    "option",
    [
        pytest.param((), id="run"),
        pytest.param(("--dry-run",), id="dry run", marks=pytest.mark.slow_stress),
    ],
)
def test_transaction_control_is_refused_before_it_is_sent(
    hr_migrations: TemporaryMigrations,
    call: Call,
    operations: str,
    statement: str,
    option: tuple[str, ...],
) -> None:
    with hr_migrations.release(release(operations)):
        result = call("migrate_domain", "hr", *option)
    assert result.exit_status == 1
    assert f"{statement} would end the transaction of the run" in result.stderr
    assert "It was rolled back." in result.stderr
    assert query("SELECT to_regclass('hr.made')") == [(None,)]
    if not option:
        assert history("hr.django_migrations_hr") == []


def test_savepoints_are_allowed(hr_migrations: TemporaryMigrations, call: Call) -> None:
    text = f"{MADE} SAVEPOINT a; DROP TABLE hr.made; ROLLBACK TO SAVEPOINT a; RELEASE a"
    with hr_migrations.release(release(run_sql(text, "SAVEPOINT left_open"))):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr
    assert "made" in tables("hr")


RAW = "migrations.RunPython(lambda apps, editor: [{}])"
CURSOR = "connection.connection.execute({!r})"


@pytest.mark.parametrize(
    ("statements", "kept", "sentence"),
    [
        ((MADE, "COMMIT"), True, "what ran until then was kept"),
        ((MADE, "COMMIT", "BEGIN"), True, "what ran until then was kept"),
        ((MADE, "COMMIT", "SELECT 1/0"), True, "what ran until then was kept"),
        ((MADE, "ROLLBACK", "SELECT 1"), False, "not known whether anything of it was kept"),
        (("ROLLBACK", MADE, "COMMIT"), True, "not known whether anything of it was kept"),
        ((MADE, "SELECT 1/0"), False, "It was rolled back."),
    ],
)
def test_end_past_django_is_seen_and_the_server_is_asked_what_was_kept(
    hr_migrations: TemporaryMigrations,
    call: Call,
    statements: tuple[str, ...],
    kept: bool,
    sentence: str,
) -> None:
    operation = RAW.format(", ".join(map(CURSOR.format, statements)))
    with hr_migrations.release(release(operation)):
        result = call("migrate_domain", "hr", "--format", "json")
        error = json.loads(result.stdout)["domains"][0]["error"]
    assert result.exit_status == 1
    assert sentence in error["hint"]
    assert ("made" in tables("hr")) is kept
    assert history("hr.django_migrations_hr") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"BEGIN; {MADE}", "it left a transaction open, which was rolled back."),
        (f"BEGIN; {MADE} SELECT 1/0", "division by zero."),
    ],
)
def test_open_transaction_of_a_migration_without_one_is_rolled_back(
    hr_migrations: TemporaryMigrations, call: Call, text: str, problem: str
) -> None:
    with hr_migrations.release(release(run_sql(text), atomic=False)):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 1
    assert problem in result.stderr
    assert "made" not in tables("hr")
    journal = "hr.django_migrations_hr_journal"
    assert query(f"SELECT status FROM {journal} WHERE name = '0001_it' ORDER BY id")[-1:] == [
        ("failed",)
    ]


def test_transaction_of_its_own_is_kept_in_a_migration_without_one(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(release(run_sql(f"BEGIN; {MADE} COMMIT"), atomic=False)):
        assert call("migrate_domain", "hr").exit_status == 0
    assert "made" in tables("hr")
