"""Transactions that changed only rows, recognized when they are over."""

from __future__ import annotations

import itertools
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql.query import FORCE_GENERIC_PLAN, RESET_PLAN_MODE, prepared_execute, run_sql
from .held_locks import DDL_MODES, SELECT_LOCKS, HeldLock
from .transaction import CLUSTER_CATALOGS, COUNTED

CATALOGS_UNCHANGED: LiteralString = (
    "SELECT current_setting('track_counts') = 'on' AND 0 = "
    + " + ".join(
        "pg_stat_get_xact_tuples_" + kind + "('" + catalog + "'::regclass)"
        for kind, catalog in itertools.product(
            ("inserted", "updated", "deleted"), (*COUNTED, *CLUSTER_CATALOGS)
        )
    )
)
"""Whether the transaction changed no row of these catalogs, nor the session lately."""


def read_rows_only(
    connection: BaseDatabaseWrapper, allowed_schemas: list[int], *, run_first: LiteralString
) -> frozenset[HeldLock] | None:
    """Return the locks of a transaction that changed only rows; None if it changed more, or may.

    One round trip, and no point where the transaction began is needed.

    Arguments:
        allowed_schemas: as for ``TransactionPoint.read``.
        run_first: a statement without rows to run before.
    """
    unchanged = prepared_execute(connection, CATALOGS_UNCHANGED)
    locking = prepared_execute(connection, SELECT_LOCKS)
    statements = run_first + ";" + unchanged + ";" + FORCE_GENERIC_PLAN + locking + RESET_PLAN_MODE
    [(is_unchanged,)], rows = run_sql(connection, statements, {"allowed": allowed_schemas})
    locks = [lock for row in rows for lock in HeldLock.from_row(row) if lock.age is None]
    if not is_unchanged or any(not lock.is_relation or lock.mode in DDL_MODES for lock in locks):
        return None
    return frozenset(locks)
