"""Finding the line of a file that a table does not take."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, DataError, IntegrityError, InternalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ..execution.failures import primary_message
from .staging import Failed

ROW_ERRORS = (IntegrityError, DataError, InternalError)
"""What a row can cause; a trigger's RAISE EXCEPTION is an internal error to Django."""

Run = Callable[[int, int], int]
"""Runs a statement for the lines from one to another, both included."""


def run_by_lines(
    connection: BaseDatabaseWrapper, run: Run, first: int, last: int, failed: Failed
) -> int:
    """Run a statement for all lines at once, and return how many rows it touched.

    Raises:
        SeedFailed: the table does not take a row; the line is found by running it in parts.
    """
    try:
        with transaction.atomic(using=connection.alias):
            return run(first, last)
    except ROW_ERRORS as error:
        line, exc = _first_bad(connection, run, first, last) or (None, error)
        raise failed(line, f"{primary_message(exc).rstrip('.')}.") from exc


def _first_bad(
    connection: BaseDatabaseWrapper, run: Run, first: int, last: int
) -> tuple[int, DatabaseError] | None:
    """Return the line that the statement fails at, halving what may be wrong with it.

    The halves that are taken stay: a row may be bad because of one before it.
    """
    low, high = first, last
    while low <= high:
        middle = (low + high) // 2
        try:
            with transaction.atomic(using=connection.alias):
                run(low, middle)
        except ROW_ERRORS as exc:
            if low == middle:
                return low, exc
            high = middle
        else:
            low = middle + 1
    return None
