"""Errors at any statement of inventory's history, which the next run completes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from tests.engine.runner.reference import Reference, finish, migrate, reference
from tests.support.catalog import query
from tests.support.servers import TestServer

NON_ATOMIC = 13
SAMPLE = (1, 4, 17)
"""Atomic ones with tables, with foreign keys to core, and with SQL of their own."""

MESSAGE = "division by zero"


@contextmanager
def failing_at(statement: int) -> Iterator[list[str]]:
    """Fail at that statement, counted from 1, as PostgreSQL fails; the statements so far."""
    seen: list[str] = []

    def wrapper(
        execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        seen.append(str(sql))
        if len(seen) == statement:
            return execute("SELECT 1 / 0", None, False, context)
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(wrapper):
        yield seen


@pytest.fixture(scope="module")
def size(pytestconfig: pytest.Config) -> str | None:
    return pytestconfig.getoption("--stress")


@pytest.fixture(scope="module")
def history(
    postgres_server: TestServer, django_db_blocker: Any, size: str | None
) -> Iterator[Reference]:
    around = {count for number in (*SAMPLE, NON_ATOMIC) for count in (number - 1, number)}
    with (
        django_db_blocker.unblock(),
        reference(postgres_server, None if size == "full" else around) as made,
    ):
        assert made.names[NON_ATOMIC - 1] == "0013_index_trade_names"
        yield made


def statements(history: Reference, begin: int, end: int) -> list[str]:
    """What the run from one state to the other sends to the server."""
    with history.copy(begin), failing_at(0) as seen:
        result = migrate(history.target(end))
        assert result.exit_status == 0, result.stdout + result.stderr
    return seen


def points(seen: list[str], size: str | None, sample: int, *, whole: bool) -> Iterable[int]:
    """Every statement, or some spread over those of the migration itself.

    Arguments:
        whole: what the run does before and after counts too, which is the same in all runs.
    """
    first = next(n for n, text in enumerate(seen, start=1) if "lock_timeout" in text)
    inserts = [n for n, text in enumerate(seen, start=1) if "INSERT INTO" in text]
    rows = [n for n in inserts if "_journal" in seen[n - 1]]
    inside = range(first, rows[-2] + 2)  # The last row is the run's, after post_migrate.
    if size == "full":
        return range(1, len(seen) + 1) if whole else inside
    wanted = 3 * sample if size == "short" else sample
    return inside[:: max(1, len(inside) // wanted)][:wanted]


def interrupted() -> bool:
    """Whether the journal says of the migration that it began and did not end."""
    rows = query(
        "SELECT status FROM inventory.django_migrations_inventory_journal"
        " WHERE starts_with(name, '0013') ORDER BY id DESC LIMIT 1"
    )
    return rows in ([("running",)], [("failed",)])


def attack(history: Reference, begin: int, end: int, statement: int) -> None:
    """Fail once, look, and run again."""
    atomic = max(begin, end) != NON_ATOMIC
    with history.copy(begin):
        with failing_at(statement) as seen:
            result = migrate(history.target(end))
        failed = f"{begin} to {end}, statement {statement}: {seen[statement - 1]}"
        assert result.exit_status == 1, failed
        assert MESSAGE in result.stderr, f"{failed}\n{result.stderr}"
        assert history.assert_consistent(whole=atomic or not interrupted()) in (begin, end), failed
        finish(end, history)
        history.assert_finished(end, most=max(begin, end))


def atomic_ones(history: Reference) -> list[int]:
    return [n for n in history.left if n - 1 in history.left and n != NON_ATOMIC]


@pytest.mark.parametrize("revert", [False, True], ids=["applying", "reverting"])
def test_error_inside_a_transaction(history: Reference, size: str | None, revert: bool) -> None:
    for number in atomic_ones(history):
        begin, end = (number, number - 1) if revert else (number - 1, number)
        seen = statements(history, begin, end)
        for statement in points(seen, size, 2, whole=number == SAMPLE[1]):
            attack(history, begin, end, statement)


@pytest.mark.parametrize("revert", [False, True], ids=["applying", "reverting"])
def test_error_without_a_transaction(history: Reference, size: str | None, revert: bool) -> None:
    begin, end = (NON_ATOMIC, NON_ATOMIC - 1) if revert else (NON_ATOMIC - 1, NON_ATOMIC)
    seen = statements(history, begin, end)
    for statement in points(seen, size, 3, whole=True):
        attack(history, begin, end, statement)
