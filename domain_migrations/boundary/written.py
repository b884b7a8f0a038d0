"""The rows of PostgreSQL's catalogs that a transaction has written.

Locks do not show a new function, type or grant. Rows do: those with our ``xmin``. Catalogs
that stay small are scanned; in those that grow with the number of tables, new rows are found
by the range of new oids, and changed rows are looked for only where the session's own
statistics say that it has updated the catalog.
"""

from __future__ import annotations

from typing import Any, LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from .known import CLASS_ROW
from .mark import NEW_OIDS, Mark, ours, query

SCHEMA_COLUMNS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("pg_extension", "extnamespace"),
    ("pg_proc", "pronamespace"),
    ("pg_operator", "oprnamespace"),
    ("pg_opclass", "opcnamespace"),
    ("pg_opfamily", "opfnamespace"),
    ("pg_collation", "collnamespace"),
    ("pg_conversion", "connamespace"),
    ("pg_ts_config", "cfgnamespace"),
    ("pg_ts_dict", "dictnamespace"),
    ("pg_ts_parser", "prsnamespace"),
    ("pg_ts_template", "tmplnamespace"),
    ("pg_statistic_ext", "stxnamespace"),
    ("pg_default_acl", "defaclnamespace"),
)
"""Catalogs that stay small and say in which schema an object is."""

NOT_QUIET: LiteralString = " <> ALL(%(quiet)s::oid[])"


def small_catalogs(condition: Any) -> LiteralString:
    parts: list[LiteralString] = []
    for catalog, column in SCHEMA_COLUMNS:
        parts.append(
            "SELECT '" + catalog + "'::regclass::oid, x.oid, x." + column + " FROM " + catalog
            + " x WHERE x." + column + NOT_QUIET + " AND " + condition("x")
        )  # fmt: skip
    parts += (
        "SELECT 'pg_namespace'::regclass::oid, x.oid, x.oid FROM pg_namespace x WHERE "
        + condition("x"),
        "SELECT 'pg_event_trigger'::regclass::oid, x.oid, 0::oid FROM pg_event_trigger x WHERE "
        + condition("x"),
        "SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_enum x"
        " JOIN pg_type t ON t.oid = x.enumtypid WHERE t.typnamespace" + NOT_QUIET
        + " AND " + condition("x"),
        "SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_constraint x"
        " JOIN pg_type t ON t.oid = x.contypid WHERE x.conrelid = 0 AND t.typnamespace"
        + NOT_QUIET + " AND " + condition("x"),
        "SELECT 'pg_namespace'::regclass::oid, x.pnnspid, x.pnnspid"
        " FROM pg_publication_namespace x WHERE " + condition("x"),
    )  # fmt: skip
    return " UNION ALL ".join(parts)


SELECT_SMALL = small_catalogs(ours)

SELECT_NEW_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM " + NEW_OIDS
    + " JOIN pg_type x ON x.oid > new.low AND x.oid < new.high"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_QUIET
    + " AND " + ours("x")
)  # fmt: skip

SELECT_CHANGED_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_QUIET
    + " AND " + ours("x")
)  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, x.oid, x.relnamespace FROM pg_class x"
    " WHERE x.relnamespace" + NOT_QUIET + " AND " + ours("x")
)

SELECT_CHANGED_COLUMNS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, x.attrelid, c.relnamespace FROM pg_attribute x"
    " JOIN pg_class c ON c.oid = x.attrelid"
    " WHERE c.relnamespace" + NOT_QUIET + " AND " + ours("x")
)


class Written(NamedTuple):
    """An object whose row in a catalog was written, and the schema that it is in."""

    catalog: int
    oid: int
    schema: int


def read_written(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, quiet: list[int]
) -> list[Written]:
    """Return what this transaction made or altered outside the quiet schemas.

    Not among it are relations that were made, or that only a lock tells of.
    """
    params = {**mark.params(before), "quiet": quiet}
    parts = [SELECT_SMALL, SELECT_NEW_TYPES]
    if not mark.counted or mark.class_updates != before.class_updates:
        parts.append(SELECT_CHANGED_RELATIONS)
    if not mark.counted or mark.attribute_updates != before.attribute_updates:
        parts.append(SELECT_CHANGED_COLUMNS)
    if not mark.counted or mark.type_updates != before.type_updates:
        parts.append(SELECT_CHANGED_TYPES)
    [rows] = query(connection, " UNION ALL ".join(parts), params)
    return [Written(*row) for row in rows]


# What a row of pg_depend says about where its two ends are. The depending ends are found by
# index: new objects, the domain's locked relations and the rules of its locked views.
SELECT_CROSSINGS: LiteralString = (
    """
WITH d AS MATERIALIZED (
    SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.xmin
    FROM """ + NEW_OIDS + """
    JOIN pg_depend d ON d.objid > new.low AND d.objid < new.high
        AND d.classid IN ('pg_class'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass,
            'pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass,
            'pg_type'::regclass, 'pg_policy'::regclass, 'pg_operator'::regclass,
            'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_cast'::regclass,
            'pg_ts_config'::regclass, 'pg_ts_dict'::regclass, 'pg_statistic_ext'::regclass,
            'pg_conversion'::regclass, 'pg_event_trigger'::regclass)
  UNION ALL
    SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.xmin
    FROM unnest(%(relations)s::oid[]) r (oid)
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid
  UNION ALL
    SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.xmin
    FROM unnest(%(relations)s::oid[]) r (oid)
    JOIN pg_rewrite w ON w.ev_class = r.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
  UNION ALL
    SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.xmin
    FROM unnest(%(functions)s::oid[]) p (oid)
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
)
SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid,
    coalesce(c.relnamespace, p.pronamespace, t.typnamespace, o.oprnamespace, l.collnamespace,
        k.opcnamespace, f.opfnamespace, g.cfgnamespace, i.dictnamespace)
FROM d
LEFT JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
LEFT JOIN pg_collation l ON d.refclassid = 'pg_collation'::regclass AND l.oid = d.refobjid
LEFT JOIN pg_opclass k ON d.refclassid = 'pg_opclass'::regclass AND k.oid = d.refobjid
LEFT JOIN pg_opfamily f ON d.refclassid = 'pg_opfamily'::regclass AND f.oid = d.refobjid
LEFT JOIN pg_ts_config g ON d.refclassid = 'pg_ts_config'::regclass AND g.oid = d.refobjid
LEFT JOIN pg_ts_dict i ON d.refclassid = 'pg_ts_dict'::regclass AND i.oid = d.refobjid
WHERE coalesce(c.relnamespace, p.pronamespace, t.typnamespace, o.oprnamespace, l.collnamespace,
        k.opcnamespace, f.opfnamespace, g.cfgnamespace, i.dictnamespace) = ANY(%(others)s::oid[])
    AND """ + ours("d")
)  # fmt: skip


class Crossing(NamedTuple):
    """A dependency of one object on another: two addresses, and the second one's schema."""

    catalog: int
    oid: int
    column: int
    used_catalog: int
    used_oid: int
    used_column: int
    schema: int


def read_crossings(
    connection: BaseDatabaseWrapper,
    mark: Mark,
    before: Mark,
    *,
    relations: list[int],
    functions: list[int],
    others: list[int],
) -> list[Crossing]:
    """Return dependencies on the other schemas that this transaction has made."""
    params = {
        **mark.params(before),
        "relations": relations,
        "functions": functions,
        "others": others,
    }
    [rows] = query(connection, SELECT_CROSSINGS, params)
    return [Crossing(*row) for row in rows]


SELECT_OWN_FUNCTIONS: LiteralString = (
    "SELECT x.oid FROM pg_proc x WHERE x.pronamespace = ANY(%(own)s::oid[]) AND " + ours("x")
)


def read_own_functions(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, own: list[int]
) -> list[int]:
    """Return the domain's functions that this transaction made or replaced."""
    [rows] = query(connection, SELECT_OWN_FUNCTIONS, {**mark.params(before), "own": own})
    return [oid for (oid,) in rows]


# Everything that hangs on a table, but the internal triggers of foreign keys that point at it.
SELECT_ATTACHED: LiteralString = (
    "SELECT x.tgrelid, 'trigger ' || x.tgname FROM pg_trigger x"
    " LEFT JOIN pg_constraint k ON k.oid = x.tgconstraint"
    " WHERE x.tgrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " AND NOT coalesce(x.tgisinternal AND x.tgenabled = 'O' AND k.contype = 'f'"
    " AND k.connamespace = ANY(%(keys)s::oid[]), false)"
    " UNION ALL SELECT x.attrelid, 'column ' || x.attname FROM pg_attribute x"
    " WHERE x.attrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.conrelid, 'constraint ' || x.conname FROM pg_constraint x"
    " WHERE x.conrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " AND NOT (x.contype = 'f' AND x.conrelid = ANY(%(referencing)s::oid[]))"
    " UNION ALL SELECT x.indrelid, 'index ' || c.relname FROM pg_index x"
    " JOIN pg_class c ON c.oid = x.indexrelid"
    " WHERE x.indrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.ev_class, 'rule ' || x.rulename FROM pg_rewrite x"
    " WHERE x.ev_class = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.polrelid, 'policy ' || x.polname FROM pg_policy x"
    " WHERE x.polrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.inhrelid, 'inheritance' FROM pg_inherits x"
    " WHERE x.inhrelid = ANY(%(tables)s::oid[]) AND " + ours("x")
    + " UNION ALL SELECT x.inhparent, 'child ' || x.inhrelid::regclass FROM pg_inherits x"
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
    """Return what this transaction changed of the tables: (table, what).

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
    [rows] = query(connection, SELECT_ATTACHED, params)
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
    [rows] = query(connection, SELECT_CHANGED_CLASS_ROWS, params)
    return dict(rows)


SELECT_KEYS: LiteralString = (
    "SELECT x.conrelid, x.confrelid, x.conname, x.confdeltype::text, x.confupdtype::text, "
    + ours("x")
    + " FROM pg_constraint x WHERE x.contype = 'f' AND x.conrelid = ANY(%(tables)s::oid[])"
)


class Key(NamedTuple):
    """A foreign key; ``written`` when this transaction made or altered it."""

    table: int
    target: int
    name: str
    on_delete: str
    on_update: str
    written: bool


def read_keys(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, tables: list[int]
) -> list[Key]:
    """Return the foreign keys that the tables have."""
    [rows] = query(connection, SELECT_KEYS, {**mark.params(before), "tables": tables})
    return [Key(*row) for row in rows]


SELECT_IDENTITY = "SELECT type, identity FROM pg_identify_object(%(catalog)s, %(oid)s, %(column)s)"


def identify(connection: BaseDatabaseWrapper, catalog: int, oid: int, column: int = 0) -> str:
    """Return an object's kind and qualified name, as PostgreSQL writes them."""
    params = {"catalog": catalog, "oid": oid, "column": column}
    [[(kind, identity)]] = query(connection, SELECT_IDENTITY, params)
    return f"{kind} {identity}"
