"""A point in a transaction, and which rows of the catalogs were written by it.

PostgreSQL tells neither the next oid nor the newest transaction id of a session. Both are had
by making a large object, which any role may do, inside a savepoint that is rolled back. All
objects made between two marks have oids between theirs; all rows that this transaction, or a
savepoint of it, has written have an ``xmin`` from its own id to that of the newest savepoint.
Where several migrations share a transaction, each is a savepoint with an id of its own.
Rows that ``VACUUM`` froze keep an old ``xmin`` that may look new after a wraparound, which is
why the range needs its upper end: ``pg_xact_status`` raises an error beyond it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql.query import FORCE_GENERIC_PLAN, RESET_PLAN_MODE, Row, prepared_execute, run_sql
from .catalog_before import CATALOGS, SELECT_FILLED

MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""PostgreSQL's table locks, weakest first."""

LOCK_STRENGTH = {mode: strength for strength, mode in enumerate(MODES)}

READ_MODES = frozenset(("AccessShareLock", "RowShareLock"))
WRITE_MODE = "RowExclusiveLock"
DDL_MODES = frozenset(MODES[3:])
"""Modes that no SELECT, INSERT, UPDATE or DELETE takes."""

# Locks on objects that are no relations: dropping, renaming and commenting take strong ones,
# making something in a schema, or something that depends on them, AccessShareLock at most.
# The locks on the transaction's own ids tell how many savepoints it had (see ``mark``).
# LATERAL … OFFSET 0 looks each lock up by index; a join would scan catalogs that may be huge.
# Indexes of the domain's own are left out: all that they tell is told by their tables.
SELECT_LOCKS: LiteralString = """
SELECT l.locktype = 'relation', coalesce(l.classid, 0), l.oid, l.modes,
    c.relnamespace, c.relkind::text, c.relname, t.oid, t.relname, l.age
FROM (
    SELECT locktype, classid, coalesce(relation, objid) AS oid, array_agg(DISTINCT mode) AS modes,
        min(age(transactionid))::bigint AS age
    FROM pg_locks
    WHERE pid = pg_backend_pid() AND granted AND CASE locktype
        WHEN 'relation' THEN database = (
            SELECT oid FROM pg_database WHERE datname = current_database())
        WHEN 'object' THEN mode <> 'AccessShareLock' AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database())
        ELSE locktype = 'transactionid' END
    GROUP BY locktype, classid, coalesce(relation, objid)
) l
LEFT JOIN LATERAL (
    SELECT relnamespace, relkind, relname FROM pg_class
    WHERE l.locktype = 'relation' AND oid = l.oid OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT r.oid, r.relname FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid
    WHERE c.relkind IN ('i', 'I') AND c.relnamespace <> ALL(%(quiet)s::oid[])
      AND i.indexrelid = l.oid OFFSET 0
) t ON true
WHERE c.relname IS NULL OR c.relnamespace NOT IN (
        'pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
    AND (c.relkind NOT IN ('i', 'I') OR c.relnamespace <> ALL(%(quiet)s::oid[]))
"""

LockKey = tuple[int, int, str]
"""A lock by the catalog of its object (0 for relations), the object's oid and the mode."""


class HeldLock(NamedTuple):
    """One lock on one object.

    Attributes:
        is_relation: whether the object is in ``pg_class``.
        catalog: the oid of the catalog the object is in; 0 for relations.
        schema, kind, name: what the catalog says of a relation now; None when it is gone.
        table, table_name: an index's table.
        age: of a transaction's id, which is locked too.
    """

    is_relation: bool
    catalog: int
    oid: int
    mode: str
    schema: int | None
    kind: str | None
    name: str | None
    table: int | None
    table_name: str | None
    age: int | None = None

    @property
    def key(self) -> LockKey:
        return self.catalog, self.oid, self.mode

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Iterator[HeldLock]:
        """Yield one lock for each mode in a row of SELECT_LOCKS."""
        is_relation, catalog, oid, modes, *rest = row
        for mode in modes:
            yield cls(is_relation, catalog, oid, mode, *rest)


Condition = Callable[[LiteralString], LiteralString]
"""Makes a condition of SQL for a catalog's alias."""

PG_TYPE, PG_PROC, PG_CLASS = 1247, 1255, 1259
PG_CONSTRAINT, PG_NAMESPACE, PG_EXTENSION = 2606, 2615, 3079
PG_EVENT_TRIGGER, PG_DEFAULT_ACL = 3466, 826
"""The catalogs' own oids, which never change."""

COUNTED: tuple[LiteralString, ...] = (
    "pg_class", "pg_attribute", "pg_type", "pg_depend", "pg_namespace", "pg_event_trigger",
    "pg_enum", "pg_constraint", "pg_publication_namespace", "pg_extension", "pg_proc",
    "pg_operator", "pg_opclass", "pg_opfamily", "pg_collation", "pg_conversion", "pg_ts_config",
    "pg_ts_dict", "pg_ts_parser", "pg_ts_template", "pg_statistic_ext", "pg_default_acl",
)  # fmt: skip
"""Catalogs of which the session's own statistics tell whether it has written to them."""


def _counts(what: LiteralString) -> LiteralString:
    function: LiteralString = "pg_stat_get_xact_tuples_" + what
    return "ARRAY[" + ", ".join(function + "('" + name + "'::regclass)" for name in COUNTED) + "]"


SELECT_COUNTS: LiteralString = (
    "SELECT current_setting('track_counts') = 'on', "
    + _counts("inserted") + ", " + _counts("updated")
)  # fmt: skip

BEGIN: LiteralString = (
    "SAVEPOINT domain_migrations_mark;"
    " SELECT pg_current_xact_id()::text::bigint, age(pg_current_xact_id()::xid)::bigint,"
    " lo_create(0)::bigint;"
)
END: LiteralString = (
    "ROLLBACK TO SAVEPOINT domain_migrations_mark; RELEASE SAVEPOINT domain_migrations_mark"
)

NEW_OIDS: LiteralString = "unnest(%(lows)s::oid[], %(highs)s::oid[]) AS new (low, high)"
"""The ranges that the oids of new objects are in, to be joined with a catalog."""

LAST_OID = 2**32 - 1


@dataclass(frozen=True)
class TransactionPoint:
    """A point in a transaction.

    Attributes:
        top: the transaction's own id, 64 bits wide.
        age: what ``age()`` says of it; it says so until the transaction ends.
        newest: how many ids after it the newest savepoint has its own.
        oldest: the same of the first one that counts: 0, or where a migration that runs inside
            a transaction of others begins.
        oid: an oid that was new at this point.
        inserts, updates: how many rows of each counted catalog the session has inserted and
            updated so far; the server sets them back now and then between transactions.
        counted: whether the server counts them.
    """

    xid: int
    xid_age: int
    last_subxid: int
    next_oid: int
    inserts: dict[str, int]
    updates: dict[str, int]
    counted: bool
    first_subxid: int = 0

    @classmethod
    def at_start(cls, connection: BaseDatabaseWrapper) -> tuple[TransactionPoint, frozenset[str]]:
        """Return where the transaction begins, or, outside of one, where a new one would.

        With it come the catalogs that have anything in them that could be lost.
        """
        if not connection.in_atomic_block:
            with transaction.atomic(using=connection.alias):
                return cls.at_start(connection)
        counting, filling = (
            prepared_execute(connection, text) for text in (SELECT_COUNTS, SELECT_FILLED)
        )
        [(top, age, oid)], counts, [filled] = run_sql(
            connection, BEGIN + counting + ";" + filling + ";" + END
        )
        mark = cls(top, age, 0, oid, *_counted(counts))
        return mark, frozenset(itertools.compress(CATALOGS, filled))

    @classmethod
    def read(
        cls,
        connection: BaseDatabaseWrapper,
        quiet: list[int],
        *,
        counts: bool = True,
        behind: LiteralString = "",
    ) -> tuple[TransactionPoint, list[HeldLock]]:
        """Return where the transaction is, and its locks, in one round trip.

        Arguments:
            quiet: the schemas that the domain may do what it likes in.
            counts: whether they will be asked about.
            behind: a statement without rows to run first.
        """
        counting = prepared_execute(connection, SELECT_COUNTS) + ";" if counts else ""
        locking = prepared_execute(connection, SELECT_LOCKS)
        # The locks are read inside the savepoint, whose id is the newest among them.
        statements = BEGIN + counting + FORCE_GENERIC_PLAN + locking + RESET_PLAN_MODE + ";" + END
        if behind:
            statements = behind + ";" + statements
        [(top, age, oid)], *counted, rows = run_sql(connection, statements, {"quiet": quiet})
        locks = [lock for row in rows for lock in HeldLock.from_row(row)]
        newest = max(age - lock.age for lock in locks if lock.age is not None)
        mark = cls(top, age, newest, oid, *_counted(*counted))
        return mark, [lock for lock in locks if lock.age is None]

    def made_since(self, before: TransactionPoint, oid: int) -> bool:
        """Return whether an object with this oid was made between the marks."""
        if before.next_oid < self.next_oid:
            return before.next_oid < oid < self.next_oid
        return oid > before.next_oid or oid < self.next_oid

    def params(self, before: TransactionPoint) -> dict[str, Any]:
        """Return the parameters for ``ours`` and for NEW_OIDS."""
        lows, highs = [before.next_oid], [self.next_oid]
        if self.next_oid < before.next_oid:  # The counter has started again.
            lows, highs = [before.next_oid, 0], [LAST_OID, self.next_oid]
        return {
            "top": self.xid,
            "age": self.xid_age,
            "newest": self.last_subxid,
            "oldest": before.first_subxid,
            "lows": lows,
            "highs": highs,
        }

    def inserted(self, before: TransactionPoint, catalogs: Iterable[str]) -> bool:
        """Return whether the session may have inserted rows in a catalog since."""
        return self._grew(before, catalogs, self.inserts, before.inserts)

    def updated(self, before: TransactionPoint, catalogs: Iterable[str]) -> bool:
        """Return whether the session may have updated rows of a catalog since."""
        return self._grew(before, catalogs, self.updates, before.updates)

    def _grew(
        self,
        before: TransactionPoint,
        catalogs: Iterable[str],
        now: dict[str, int],
        then: dict[str, int],
    ) -> bool:
        counted = self.counted and before.counted
        return not counted or any(now[name] != then[name] for name in catalogs)


def _counted(rows: Sequence[Row] = ()) -> tuple[dict[str, int], dict[str, int], bool]:
    """Return the counts of inserted and updated rows, and whether there are any."""
    if not rows:
        return {}, {}, False
    [(counted, inserts, updates)] = rows
    return (
        dict(zip(COUNTED, inserts, strict=True)),
        dict(zip(COUNTED, updates, strict=True)),
        counted,
    )


def written_here(alias: LiteralString) -> LiteralString:
    """Return the condition that a catalog's row was written by this transaction."""
    distance: LiteralString = "%(age)s::bigint - age(" + alias + ".xmin)"
    return (
        "CASE WHEN " + distance + " BETWEEN %(oldest)s AND %(newest)s THEN"
        " pg_xact_status((%(top)s::bigint + " + distance + ")::text::xid8) = 'in progress'"
        " ELSE false END"
    )


def written_since(alias: LiteralString) -> LiteralString:
    """Return the condition that a catalog's row is younger than a mark, whoever wrote it."""
    return "age(" + alias + ".xmin) BETWEEN 0 AND age((%(top)s::text::xid8)::xid)"
