"""What ``connection.ops`` says about qualified names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .names import parse_table_name, quote

if TYPE_CHECKING:
    from django.db.backends.postgresql.operations import DatabaseOperations as Operations
else:
    Operations = object


class QualifiedOperationsMixin(Operations):
    """Operations for tables in schemas."""

    def for_update_sql(
        self,
        nowait: bool = False,
        skip_locked: bool = False,
        of: Iterable[str] = (),
        no_key: bool = False,
    ) -> str:
        """Name the tables of ``FOR UPDATE OF`` without their schemas, as PostgreSQL wants it."""
        of = tuple(quote(parse_table_name(name).name) for name in of)
        return super().for_update_sql(nowait, skip_locked, of, no_key)
