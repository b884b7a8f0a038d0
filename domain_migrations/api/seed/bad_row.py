"""The row of a file that the table does not take, found by bisection."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, DataError, IntegrityError, InternalError

ROW_ERRORS = (IntegrityError, DataError, InternalError)
"""Errors that a row can cause; Django maps a trigger's RAISE EXCEPTION to an internal error."""


def first_bad_row(
    run: Callable[[int, int], int], low: int, high: int
) -> tuple[int, DatabaseError] | None:
    """Return the row that the statement fails at.

    Halves without an error are kept: a row may be bad because of one before it.
    """
    while low <= high:
        middle = (low + high) // 2
        try:
            run(low, middle)
        except ROW_ERRORS as exc:
            if low == middle:
                return low, exc
            high = middle
        else:
            low = middle + 1
    return None
