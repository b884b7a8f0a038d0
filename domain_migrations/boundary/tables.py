"""What a transaction has done to tables, as the catalogs' rows about them tell."""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from .asking import ask
from .mark import Mark, ours
from .past import CLASS_ROW

# Everything that hangs on a table, but the internal triggers of foreign keys that point at it.
SELECT_ATTACHED: LiteralString = (
    "SELECT x.tgrelid, CASE WHEN x.tgisinternal THEN 'changed its foreign keys'"
    " ELSE 'changed its trigger ' || x.tgname END FROM pg_trigger x"
    " LEFT JOIN LATERAL (SELECT contype, connamespace FROM pg_constraint"
    " WHERE oid = x.tgconstraint OFFSET 0) k ON true"
    " WHERE x.tgrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " AND NOT coalesce(x.tgisinternal AND x.tgenabled = 'O' AND k.contype = 'f'"
    " AND k.connamespace = ANY(%(keys)s::oid[]), false)"
    " UNION ALL SELECT x.attrelid, CASE WHEN x.attisdropped THEN 'changed its columns'"
    " ELSE 'changed its column ' || x.attname END FROM pg_attribute x"
    " WHERE x.attrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.conrelid, 'changed its constraint ' || x.conname FROM pg_constraint x"
    " WHERE x.conrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " AND NOT (x.contype = 'f' AND x.conrelid = ANY(%(referencing)s::oid[]))"
    " UNION ALL SELECT x.indrelid, 'changed its index ' || c.relname FROM pg_index x"
    " JOIN pg_class c ON c.oid = x.indexrelid"
    " WHERE x.indrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.ev_class, 'changed its rule ' || x.rulename FROM pg_rewrite x"
    " WHERE x.ev_class = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.polrelid, 'changed its policy ' || x.polname FROM pg_policy x"
    " WHERE x.polrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.inhrelid, 'changed its inheritance' FROM pg_inherits x"
    " WHERE x.inhrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.inhparent, 'changed its child ' || x.inhrelid::regclass"
    " FROM pg_inherits x"
    " WHERE x.inhparent = ANY(%(tables)s::oid[]) AND " + ours("x")
)  # fmt: skip


def read_attached(
    connection: BaseDatabaseWrapper,
    mark: Mark,
    before: Mark,
    *,
    tables: list[int],
    keys: list[int],
    referencing: list[int],
) -> list[tuple[int, str]]:
    """Return what this transaction did to the tables: (table, what).

    Arguments:
        tables: the tables to look at.
        keys: the schemas whose foreign keys may point at the tables.
        referencing: those of the tables whose own foreign keys may be made anew.
    """
    params = {
        **mark.params(before),
        "tables": tables,
        "keys": keys,
        "referencing": referencing,
    }
    rows = ask(connection, SELECT_ATTACHED, params)
    return [(table, what) for table, what in rows]


SELECT_CHANGED_CLASS_ROWS: LiteralString = (
    "SELECT x.oid, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.oid = ANY(%(tables)s::oid[]) AND " + ours("x")
)


def read_changed_class_rows(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, tables: list[int]
) -> dict[int, str]:
    """Return the tables whose row of ``pg_class`` this transaction wrote, and that row."""
    params = {**mark.params(before), "tables": tables}
    rows = ask(connection, SELECT_CHANGED_CLASS_ROWS, params)
    return dict(rows)


SELECT_KEYS: LiteralString = (
    "SELECT x.conrelid, x.confrelid, x.conname, x.confdeltype::text, x.confupdtype::text, "
    + ours("x") + ", CASE WHEN " + ours("x") + " THEN (SELECT a.attname || ' (' ||"
    " format_type(a.atttypid, a.atttypmod) || ') refers to ' || b.attname || ' (' ||"
    " format_type(b.atttypid, b.atttypmod) || ')' FROM unnest(x.conkey, x.confkey) AS p (c, k)"
    " JOIN pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = p.c"
    " JOIN pg_attribute b ON b.attrelid = x.confrelid AND b.attnum = p.k"
    " WHERE (a.atttypid, a.atttypmod) <> (b.atttypid, b.atttypmod) LIMIT 1) END"
    + " FROM pg_constraint x WHERE x.contype = 'f' AND x.conrelid = ANY(%(tables)s::oid[])"
)  # fmt: skip


class Key(NamedTuple):
    """A foreign key; ``written`` when this transaction made or altered it.

    Attributes:
        differs: which of its columns has another type than the key, where that was altered.
    """

    table: int
    target: int
    name: str
    on_delete: str
    on_update: str
    written: bool
    differs: str | None = None


def read_keys(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, tables: list[int]
) -> list[Key]:
    """Return the foreign keys that the tables have."""
    rows = ask(connection, SELECT_KEYS, {**mark.params(before), "tables": tables})
    return [Key(*row) for row in rows]
