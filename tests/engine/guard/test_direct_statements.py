"""psycopg's own cursors in migrations without a transaction: checked in one, refused otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, migrations, transaction

from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.helpers import lay_out, run_non_atomic
from tests.support.catalog import execute, query

COPY = "COPY hr.employees (id, name) FROM STDIN"
DELETE = "DELETE FROM hr.employees"


@pytest.fixture(scope="module")
def landscape(module_database: str) -> None:
    lay_out()


@pytest.fixture
def rows(landscape: None) -> Iterator[Callable[[], list[Any]]]:
    """The rows that no test may change, and of inventory's table, which is emptied."""
    yield lambda: [query("SELECT id FROM hr.employees"), query("SELECT id FROM inventory.lots")]
    execute("DELETE FROM inventory.lots")


def copied(statement: str, row: tuple[Any, ...]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write_row(row)


def pipelined(statement: str) -> None:
    with connection.connection.pipeline():
        connection.connection.execute(statement)


def in_psycopg_transaction(statement: str) -> None:
    with connection.connection.transaction():
        connection.connection.execute(statement)


def with_client_cursor(statement: str) -> None:
    with psycopg.ClientCursor(connection.connection) as cursor:
        cursor.execute(statement)


def with_server_cursor(statement: str) -> None:
    connection.connection.cursor("named").execute(statement)


def with_many(statement: str) -> None:
    connection.connection.cursor().executemany(f"{statement} WHERE id = %s", [(1,), (2,)])


def streamed(statement: str) -> None:
    list(connection.connection.cursor().stream(f"{statement} RETURNING id"))


DIRECT: list[Callable[[], None]] = [
    lambda: copied(COPY, (9, "x")),
    lambda: pipelined(DELETE),
    lambda: in_psycopg_transaction(DELETE),
    lambda: with_client_cursor(DELETE),
    lambda: with_server_cursor("SELECT * FROM hr.employees"),
    lambda: with_many(DELETE),
    lambda: streamed(DELETE),
    lambda: connection.connection.execute(DELETE),
    lambda: connection.connection.commit(),
]


def in_python(function: Callable[[], Any]) -> migrations.RunPython:
    return migrations.RunPython(lambda apps, editor: function(), migrations.RunPython.noop)


@pytest.mark.parametrize("function", DIRECT)
def test_outside_of_a_transaction_they_are_refused_before_they_run(
    rows: Callable[[], list[Any]], function: Callable[[], None]
) -> None:
    with pytest.raises(BoundaryViolation) as refused:
        run_non_atomic(in_python(function))
    assert refused.value.message == (
        "Migration inventory.0002_change is refused: its operation 1, RunPython, would use"
        " psycopg's connection outside of a transaction, where nothing can check it."
    )
    assert refused.value.hint == (
        "Use Django's cursor, or put the COPY or the psycopg cursor into a block of"
        " transaction.atomic(), which is checked before its commit."
    )
    assert rows() == [[(1,)], []]


@pytest.mark.parametrize("function", DIRECT[:-1])
def test_in_a_transaction_they_are_checked(
    rows: Callable[[], list[Any]], function: Callable[[], None]
) -> None:
    with pytest.raises(BoundaryViolation, match=r"on hr\.employees, which belongs to the domain"):
        run_non_atomic(in_python(transaction.atomic(function)))
    assert rows() == [[(1,)], []]


def test_own_tables_are_filled_in_a_transaction(rows: Callable[[], list[Any]]) -> None:
    def fill() -> None:
        copied("COPY inventory.lots (id, quantity) FROM STDIN", (1, 5))
        pipelined("UPDATE inventory.lots SET quantity = 6")
        in_psycopg_transaction("INSERT INTO inventory.lots (id) VALUES (2)")
        with_client_cursor("INSERT INTO inventory.lots (id) VALUES (3)")

    run_non_atomic(in_python(transaction.atomic(fill)), "VACUUM inventory.lots")
    assert rows() == [[(1,)], [(1,), (2,), (3,)]]
    connection.connection.execute("SELECT 1")


def test_a_transaction_is_not_ended_past_the_check(rows: Callable[[], list[Any]]) -> None:
    def escape() -> None:
        connection.connection.execute(DELETE)
        connection.connection.commit()

    with pytest.raises(BoundaryViolation, match="would use psycopg's connection"):
        run_non_atomic(in_python(transaction.atomic(escape)))
    assert rows() == [[(1,)], []]


def test_rows_are_read_in_parts_with_djangos_cursors(rows: Callable[[], list[Any]]) -> None:
    def read() -> None:
        with connection.chunked_cursor() as cursor:
            cursor.execute("SELECT generate_series(1, 5)")
            assert cursor.fetchmany(2) == [(1,), (2,)]

    run_non_atomic(in_python(read), in_python(transaction.atomic(read)))


def test_a_connection_that_an_operation_closed_is_opened_again(
    rows: Callable[[], list[Any]],
) -> None:
    run_non_atomic(in_python(connection.close), "INSERT INTO inventory.lots (id) VALUES (1)")
    assert rows() == [[(1,)], [(1,)]]
