"""Statements that a migration without a transaction repeats with other values."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, migrations
from psycopg import ClientCursor

from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.helpers import lay_out, run_non_atomic
from tests.engine.guard.violation_cases import HR
from tests.support import catalog

LIMIT = 5
TRIGGER = f"""
CREATE TABLE inventory.steps (number int UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION inventory.at_limit() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
    IF NEW.number >= {LIMIT} THEN
        EXECUTE $_${{statement}}$_$;
    END IF;
    RETURN NEW;
END $f$;
CREATE TRIGGER at_limit BEFORE INSERT ON inventory.steps
    FOR EACH ROW EXECUTE FUNCTION inventory.at_limit()
"""
INSERT = "INSERT INTO inventory.steps VALUES (%s)"


@pytest.fixture
def landscape(scratch_database: str) -> None:
    lay_out()


def prepare(statement: str) -> None:
    """Create the trigger, on a connection that reports at its end what it has changed."""
    catalog.execute(TRIGGER.format(statement=statement))
    connection.close()


def insert(*numbers: int) -> migrations.RunPython:
    def run(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            for number in numbers:
                cursor.execute(INSERT, [number])

    return migrations.RunPython(run)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sent: list[Any] = []
    execute = ClientCursor.execute

    def kept(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(ClientCursor, "execute", kept)
    return sent


def kept_rows() -> list[tuple[Any, ...]]:
    return catalog.query("SELECT number FROM inventory.steps ORDER BY number")


@pytest.mark.parametrize(
    ("statement", "did"),
    [
        ("SELECT 1 FROM hr.employees", "took AccessShareLock on hr.employees"),
        ("UPDATE hr.employees SET name = name", "took RowExclusiveLock on hr.employees"),
        ("ALTER TABLE hr.employees ADD x int", "took AccessExclusiveLock on hr.employees"),
        (
            "CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "made function hr.f()",
        ),
        ("COMMENT ON FUNCTION hr.salary(int) IS 'seen'", "took "),
        ("DROP FUNCTION hr.salary(int) CASCADE", "took "),
    ],
)
def test_refuses_what_a_trigger_does_for_some_values(
    landscape: None, statement: str, did: str
) -> None:
    prepare(statement)
    with pytest.raises(BoundaryViolation) as refused:
        run_non_atomic(insert(1, 2, 3, LIMIT, 4))
    start = "Migration inventory.0002_change is refused: its operation 1, RunPython, "
    assert refused.value.message.startswith(start + did)
    assert HR in refused.value.message
    assert kept_rows() == [(1,), (2,), (3,)]
    assert catalog.query("SELECT 1 FROM pg_proc WHERE proname = 'f'") == []


def test_allows_what_a_trigger_creates_in_the_domain_for_some_values(landscape: None) -> None:
    prepare("CREATE TABLE inventory.made (id int)")
    footprint = run_non_atomic(insert(1, 2, LIMIT, 3))
    assert kept_rows() == [(1,), (2,), (3,), (LIMIT,)]
    assert footprint["inventory.made"] == "AccessExclusiveLock"


def test_checks_deferred_constraints(landscape: None) -> None:
    prepare("SELECT 1")
    with pytest.raises(IntegrityError):
        run_non_atomic(insert(1, 2, 3, 2, 4))
    assert kept_rows() == [(1,), (2,), (3,)]


def test_judges_the_same_locks_once(landscape: None, messages: list[Any]) -> None:
    prepare("SELECT 1 FROM inventory.drugs")

    def sent_for(*numbers: int) -> int:
        messages.clear()
        footprint = run_non_atomic(insert(*numbers))
        assert footprint["inventory.steps"] == "RowExclusiveLock"
        assert ("inventory.drugs" in footprint) == (max(numbers) >= LIMIT)
        return len(messages)

    sent_for(-100, -99, -98)  # Prepares the session's statements.
    few, many = sent_for(1, 2, 3), sent_for(*range(-50, 0))
    # Besides BEGIN and COMMIT: the statement, and what it left.
    assert many - few == 2 * (50 - 3)
    few, many = sent_for(11, 12, 4), sent_for(*range(100, 150), 0)
    assert many - few == 2 * (51 - 3)
    assert connection.get_autocommit()
