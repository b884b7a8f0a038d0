"""Errors of the project's code, and where they are reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain_migrations.engine.runner.tracebacks import describe_exception, traceback_text
from tests.support.catalog import query
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

FILL = """
from functools import partial
from django.db import connection

def fill_grades(apps, editor, key="missing"):
    return look_up({{}}, key)

def look_up(grades, key):
    return grades[key]

def insert(apps, editor):
    connection.cursor().execute("INSERT INTO hr.once VALUES (1, 'Miller'), (1, 'Miller')")

def insert_all(apps, editor):
    try:
        insert(apps, editor)
    except Exception as exc:
        raise ValueError("grade 1 is there twice") from exc

class Fill:
    def __call__(self, apps, editor):
        raise AssertionError

class Migration(migrations.Migration):
    atomic = {atomic}
    operations = [
        migrations.RunSQL("CREATE TABLE IF NOT EXISTS hr.once (id int PRIMARY KEY, name text)"),
        migrations.RunPython({code}, fill_grades),
    ]
"""


def fill(code: str, *, atomic: bool = True) -> dict[str, str]:
    return {"0001_fill": FILL.format(code=code, atomic=atomic)}


def last_details() -> list[Any]:
    rows = query(
        "SELECT details FROM hr.django_migrations_hr_journal WHERE status = 'failed' ORDER BY id"
    )
    return [json.loads(row) if isinstance(row, str) else row for (row,) in rows]


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize(
    ("code", "name", "reason", "function"),
    [
        ("fill_grades", "fill_grades", "KeyError: 'missing'", "look_up"),
        ("partial(fill_grades, key=7)", "fill_grades", "KeyError: 7", "look_up"),
        ("Fill()", "Fill", "AssertionError", "__call__"),
        (
            "lambda apps, editor: 1 / 0",
            "<lambda>",
            "ZeroDivisionError: division by zero",
            "<lambda>",
        ),
        (
            "insert",
            "insert",
            'IntegrityError: duplicate key value violates unique constraint "once_pkey"',
            "insert",
        ),
        ("insert_all", "insert_all", "ValueError: grade 1 is there twice", "insert_all"),
    ],
)
def test_failing_data_migration_is_reported_with_its_place(
    hr_migrations: TemporaryMigrations,
    call: Call,
    code: str,
    name: str,
    reason: str,
    function: str,
    atomic: bool,
) -> None:
    with hr_migrations.release(fill(code, atomic=atomic)) as package:
        result = call("migrate_domain", "hr", "--format", "json")
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert f"at operation 2 of 2 (RunPython {name}): {reason} (" in error["message"]
    assert f"({package.name}/0001_fill.py, line " in error["message"]
    assert error["message"].endswith(f", in {function}).")
    trace = error["traceback"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert trace.rstrip().endswith(reason)
    assert "Miller" not in result.stdout.replace("'Miller'), (1, 'Miller'", "")
    migration, run = last_details()
    assert migration["traceback"] == run["traceback"] == trace
    assert ("finished" in migration) is not atomic


def test_traceback_is_printed_where_it_is_asked_for(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(fill("fill_grades")):
        plain = call("migrate_domain", "hr")
        verbose = call("migrate_domain", "hr", verbosity=2)
        asked = call("migrate_domain", "hr", "--traceback")
        stock = call("migrate", "hr", verbosity=2)
        dry = call("migrate_domain", "hr", "--dry-run", verbosity=2)
    assert "Traceback" not in plain.stderr
    for result in (verbose, asked, stock, dry):
        assert result.exit_status == 1
        assert "Traceback (most recent call last):\n" in result.stderr
        assert "return grades[key]" in result.stderr


def test_causes_are_in_the_traceback_without_rows() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as exc:
            raise ValueError("second\nline") from exc
    except ValueError as exc:
        trace, text = traceback_text(exc), describe_exception(exc)
    assert trace.index("KeyError: 'first'") < trace.index("direct cause") < trace.index("second")
    assert trace.endswith("ValueError: second\nline\n")
    assert text.startswith("ValueError: second (tests/engine/runner/test_tracebacks.py, line ")


def test_compiled_parts_of_libraries_are_no_place() -> None:
    error = compile("raise ValueError('lost')", "psycopg_binary/pq/pgconn.pyx", "exec")
    try:
        exec(error)  # noqa: S102 (a frame with the path that psycopg's have)
    except ValueError as exc:
        text = describe_exception(exc.with_traceback(exc.__traceback__.tb_next))
    assert text == "ValueError: lost"


def test_error_without_a_place_is_described_by_its_class() -> None:
    assert describe_exception(ValueError("no")) == "ValueError: no"
    assert describe_exception(ValueError()) == "ValueError"


def test_grouped_errors_and_notes_are_in_the_traceback() -> None:
    error = ValueError("not a grade")
    error.add_note("row 17 of grades.csv")
    try:
        raise ExceptionGroup("some rows", [error, ExceptionGroup("others", [KeyError("missing")])])
    except ExceptionGroup as exc:
        trace, text = traceback_text(exc), describe_exception(exc)
    assert "ExceptionGroup: some rows (2 sub-exceptions)\n" in trace
    assert "  | ValueError: not a grade\n  | row 17 of grades.csv\n" in trace
    assert "  |   | KeyError: 'missing'\n" in trace
    assert text.startswith(
        "ExceptionGroup: some rows (2 sub-exceptions): ValueError: not a grade, KeyError: 'missing'"
    )


RAISES = """
import asyncio, sys
def fill_grades(apps, editor):
    {statement}
class Migration(migrations.Migration):
    atomic = {atomic}
    operations = [migrations.RunPython(fill_grades, migrations.RunPython.noop)]
"""


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("sys.exit()", "SystemExit ("),
        ("sys.exit('no grades')", "SystemExit: no grades ("),
        ("raise asyncio.CancelledError", "CancelledError ("),
        ("raise BaseExceptionGroup('a', [SystemExit(0)])", "BaseExceptionGroup: a (1 sub-"),
        (r"raise ValueError('\ud800\x1b[31m\x00')", r"ValueError: \ud800\x1b[31m\x00 ("),
    ],
)
def test_whatever_a_data_migration_raises_is_its_failure(
    hr_migrations: TemporaryMigrations, call: Call, statement: str, reason: str, atomic: bool
) -> None:
    source = RAISES.format(statement=statement, atomic=atomic)
    with hr_migrations.release({"0001_fill": source}):
        result = call("migrate_domain", "hr", "--format", "json")
    assert result.exit_status == 1
    assert result.stdout.encode().isascii()
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert f"(RunPython fill_grades): {reason}" in error["message"]
    assert f"(RunPython fill_grades): {reason}" in result.stderr
    assert len(last_details()) == 2


@pytest.mark.parametrize("text", ["raise ValueError('none')", "return None"])
def test_exception_without_a_text_fails_only_its_migration(
    hr_migrations: TemporaryMigrations, call: Call, text: str
) -> None:
    source = (
        f"class Mute(Exception):\n    def __str__(self):\n        {text}\n"
        "def fill_grades(apps, editor):\n    raise Mute\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.RunPython(fill_grades)]\n"
    )
    with hr_migrations.release({"0001_fill": source}):
        result = call("migrate_domain", "hr", "--format", "json")
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert "(RunPython fill_grades): Mute: <exception str() failed> (" in error["message"]
    assert error["traceback"].endswith("Mute: <exception str() failed>\n")
    assert [details["traceback"] for details in last_details()] == [error["traceback"]] * 2
