"""Thai fiscal years."""

from __future__ import annotations

import datetime

BUDDHIST_ERA = 543
FIRST_MONTH = 10


def fiscal_year_of(day: datetime.date) -> int:
    """Return the fiscal year, in the Buddhist Era, that a day is in."""
    return day.year + BUDDHIST_ERA + (day.month >= FIRST_MONTH)


def quarter_of(day: datetime.date) -> int:
    """Return the quarter, 1 to 4, of the fiscal year that a day is in; 1 begins in October."""
    return (day.month - FIRST_MONTH) % 12 // 3 + 1
