"""Thai fiscal years."""

from __future__ import annotations

import datetime

BUDDHIST_ERA = 543
FIRST_MONTH = 10


def fiscal_year_of(day: datetime.date) -> int:
    """Return the fiscal year of a day, in the Buddhist Era."""
    return day.year + BUDDHIST_ERA + (day.month >= FIRST_MONTH)


def quarter_of(day: datetime.date) -> int:
    """Return the quarter of the fiscal year, 1 to 4, of a day; quarter 1 begins in October."""
    return (day.month - FIRST_MONTH) % 12 // 3 + 1
