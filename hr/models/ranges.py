"""Range expressions for exclusion constraints.

``int8range(id, id, '[]') &&`` replaces equality of ids: GiST supports ranges without an
extension, whereas plain integers would need ``btree_gist``, which not every server has.
"""

from __future__ import annotations

from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField
from django.db.models import F, Func, Value


def same_id(field: str) -> Func:
    """Return a range that contains one id and overlaps only itself.

    ``field`` is the name of the foreign key, not of its column, because Django validates
    constraints by field names.
    """
    return Func(
        F(field),
        F(field),
        Value("[]"),
        function="int8range",
        output_field=BigIntegerRangeField(),
    )


def period(starts_on: str, ends_on: str) -> Func:
    """Return the range of days from the first to the last, inclusive; unbounded without a last."""
    return Func(
        F(starts_on),
        F(ends_on),
        Value("[]"),
        function="daterange",
        output_field=DateRangeField(),
    )
