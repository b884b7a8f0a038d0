"""The row of a file that the table does not take, found by running a statement in parts."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, DataError, IntegrityError, InternalError

ROW_ERRORS = (IntegrityError, DataError, InternalError)
"""Errors that a row can cause; Django maps a trigger's RAISE EXCEPTION to an internal error."""


def run_in_parts(
    run: Callable[[int, int], int], last: int
) -> tuple[int, tuple[int, DatabaseError] | None]:
    """Run the statement for halves of the rows, and of those where it fails, in the file's order.

    Halves without an error are kept: a row may be bad because of one before it, or may be good
    only after it, as one that takes a unique value over from another.

    Returns:
        the number of rows that were changed, and the row that the statement fails at.
    """
    low, high, changed = 1, last, 0
    while low <= last:
        middle = (low + high) // 2
        try:
            changed += run(low, middle)
        except ROW_ERRORS as exc:
            if low == middle:
                return changed, (low, exc)
            high = middle
        else:
            low = middle + 1
            high = high if low <= high else last
    return changed, None
