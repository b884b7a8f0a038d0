"""A point in a transaction, and which rows of the catalogs were written by it.

PostgreSQL tells neither the next oid nor the newest transaction id of a session. Both are had
by making a large object, which any role may do, inside a savepoint that is rolled back. All
objects made between two marks have oids between theirs; all rows that this transaction, or a
savepoint of it, has written have an ``xmin`` from its own id to that of the newest savepoint.
Rows that ``VACUUM`` froze keep an old ``xmin`` that may look new after a wraparound, which is
why the range needs its upper end: ``pg_xact_status`` raises an error beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.sql import Composed

Row = tuple[Any, ...]

READ_MARK = """
SAVEPOINT domain_migrations_mark;
SELECT pg_current_xact_id()::text::bigint, lo_create(0)::bigint;
SELECT age(pg_current_xact_id()::xid)::bigint,
    (SELECT max(age(pg_current_xact_id()::xid)::bigint - age(transactionid)) FROM pg_locks
     WHERE pid = pg_backend_pid() AND locktype = 'transactionid'),
    pg_stat_get_xact_tuples_updated('pg_class'::regclass),
    pg_stat_get_xact_tuples_updated('pg_attribute'::regclass),
    pg_stat_get_xact_tuples_updated('pg_type'::regclass),
    current_setting('track_counts') = 'on';
ROLLBACK TO SAVEPOINT domain_migrations_mark;
RELEASE SAVEPOINT domain_migrations_mark
"""

NEW_OIDS: LiteralString = "unnest(%(lows)s::oid[], %(highs)s::oid[]) AS new (low, high)"
"""The ranges that the oids of new objects are in, to be joined with a catalog."""

LAST_OID = 2**32 - 1

PG_TYPE, PG_PROC, PG_CLASS, PG_ATTRIBUTE = 1247, 1255, 1259, 1249
PG_CONSTRAINT, PG_NAMESPACE, PG_EXTENSION = 2606, 2615, 3079
PG_EVENT_TRIGGER, PG_DEFAULT_ACL = 3466, 826
"""The catalogs' own oids, which never change."""


def query(
    connection: BaseDatabaseWrapper, statement: LiteralString | Composed, params: Any = None
) -> list[list[Row]]:
    """Return the rows of each statement that returns some.

    Past Django's cursor: what the guard asks is no part of a migration's SQL, must not show
    where that is recorded, and several statements go in one round trip.
    """
    connection.ensure_connection()
    results: list[list[Row]] = []
    with connection.connection.cursor() as cursor:
        cursor.execute(statement, params, prepare=False)
        more: bool | None = True
        while more:
            if cursor.description is not None:
                results.append(cursor.fetchall())
            more = cursor.nextset()
    return results


@dataclass(frozen=True)
class Mark:
    """A point in a transaction.

    Attributes:
        top: the transaction's own id, 64 bits wide.
        age: what ``age()`` says of it; it says so until the transaction ends.
        newest: how many ids after it the newest savepoint has its own.
        oid: an oid that was new at this point.
        class_updates, attribute_updates, type_updates: how many rows of those catalogs the
            session has updated; they grow within a transaction.
        counted: whether the server counts them.
    """

    top: int
    age: int
    newest: int
    oid: int
    class_updates: int
    attribute_updates: int
    type_updates: int
    counted: bool

    @classmethod
    def read(cls, connection: BaseDatabaseWrapper) -> Mark:
        """Return where the transaction is now; outside of one, where a new one would be."""
        if not connection.in_atomic_block:
            with transaction.atomic(using=connection.alias):
                return cls.read(connection)
        [(top, oid)], [(age, newest, *counts)] = query(connection, READ_MARK)
        return cls(top, age, newest, oid, *counts)

    def params(self, before: Mark) -> dict[str, Any]:
        """Return the parameters for ``ours`` and for NEW_OIDS."""
        lows, highs = [before.oid], [self.oid]
        if self.oid < before.oid:  # The counter has started again.
            lows, highs = [before.oid, 0], [LAST_OID, self.oid]
        return {
            "top": self.top,
            "age": self.age,
            "newest": self.newest,
            "lows": lows,
            "highs": highs,
        }


def ours(alias: LiteralString) -> LiteralString:
    """Return the condition that a catalog's row was written by this transaction."""
    distance: LiteralString = "%(age)s::bigint - age(" + alias + ".xmin)"
    return (
        "CASE WHEN " + distance + " BETWEEN 0 AND %(newest)s THEN"
        " pg_xact_status((%(top)s::bigint + " + distance + ")::text::xid8) = 'in progress'"
        " ELSE false END"
    )


def since(alias: LiteralString) -> LiteralString:
    """Return the condition that a catalog's row is younger than a mark, whoever wrote it."""
    return "age(" + alias + ".xmin) BETWEEN 0 AND age((%(top)s::text::xid8)::xid)"
