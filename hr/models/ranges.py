"""Range expressions for exclusion constraints.

``int8range(id, id, '[]') &&`` stands for equality of ids: GiST indexes ranges out of the box, so
no extension is needed, which not every server has.
"""

from __future__ import annotations

from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField
from django.db.models import F, Func, Value


def same_id(field: str) -> Func:
    """Return a range of one id, which overlaps only itself.

    Takes the foreign key's name, not its column's: Django validates by the names of fields.
    """
    return Func(
        F(field),
        F(field),
        Value("[]"),
        function="int8range",
        output_field=BigIntegerRangeField(),
    )


def period(starts_on: str, ends_on: str) -> Func:
    """Return the days from the first to the last, both included; open where there is no last."""
    return Func(
        F(starts_on),
        F(ends_on),
        Value("[]"),
        function="daterange",
        output_field=DateRangeField(),
    )
