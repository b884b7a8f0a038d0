"""Obstacles in what tables are made of, which the nodes would not have, or not have alike."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.messages import shortened
from ..obstacle import Obstacle
from .facts import PLACED, Facts

# The server ends with a segmentation fault where columns are dropped and none is left.
NO_COLUMNS = f"""
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {PLACED} AND c.relkind IN ('r', 'p') AND c.relnatts > 0 AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
ORDER BY 1, 2
"""  # noqa: S608 (made of constants only)

# Numbers of this server's catalog, which mean something else on a node.
OID_COLUMNS = f"""
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname), a.attname, quote_ident(a.attname),
    format_type(a.atttypid, NULL)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {PLACED} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    AND a.atttypid IN (SELECT t.oid FROM pg_catalog.pg_type t
        WHERE t.typname ~ '^reg' AND t.typnamespace = 'pg_catalog'::regnamespace)
ORDER BY 1, 2, a.attnum
"""  # noqa: S608 (made of constants only)

# Columns, constraints, indexes and policies of a table, and all that these are made of.
UNKNOWN_OBJECTS = f"""
WITH RECURSIVE part AS (
    SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname) AS label, c.tableoid AS classid, c.oid
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE {PLACED} AND c.relkind IN ('r', 'p')
    UNION
    SELECT p.nspname, p.label, d.classid, d.objid
    FROM part p JOIN pg_catalog.pg_depend d ON d.refclassid = p.classid AND d.refobjid = p.oid
    WHERE p.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
        AND d.classid IN ('pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_constraint'::regclass,
            'pg_catalog.pg_policy'::regclass, 'pg_catalog.pg_class'::regclass)
), used AS (
    SELECT nspname, label, classid, oid FROM part
    UNION
    SELECT u.nspname, u.label, d.refclassid, d.refobjid
    FROM used u JOIN pg_catalog.pg_depend d ON d.classid = u.classid AND d.objid = u.oid
    WHERE d.deptype IN ('n', 'a', 'i') AND d.refobjid >= 16384
        AND d.refclassid IN ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_proc'::regclass,
            'pg_catalog.pg_operator'::regclass, 'pg_catalog.pg_opclass'::regclass)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
            WHERE x.classid = d.refclassid AND x.objid = d.refobjid AND x.deptype = 'e')
)
SELECT u.nspname, u.label, array_agg(DISTINCT o.title ORDER BY o.title)
FROM used u CROSS JOIN LATERAL (
    SELECT 'operator ' || u.oid::regoperator
    WHERE u.classid = 'pg_catalog.pg_operator'::regclass
    UNION ALL
    SELECT format('operator class %%I.%%I', o.opcnamespace::regnamespace, o.opcname)
    FROM pg_catalog.pg_opclass o
    WHERE u.classid = o.tableoid AND u.oid = o.oid
    UNION ALL
    SELECT 'type ' || t.oid::regtype
    FROM pg_catalog.pg_type t
    WHERE u.classid = t.tableoid AND u.oid = t.oid
        AND (t.typtype IN ('r', 'm') OR t.typtype = 'b' AND t.typelem = 0)
    UNION ALL
    SELECT format('cast from %%s to %%s', x.castsource::regtype, x.casttarget::regtype)
    FROM pg_catalog.pg_cast x
    WHERE u.classid = 'pg_catalog.pg_proc'::regclass AND u.oid = x.castfunc
) AS o (title)
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 (made of constants only)


def definition_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield tables that the nodes could not have, and columns that mean something else there."""
    for schema, table in facts.rows(NO_COLUMNS):
        yield facts.obstacle(
            "no_columns",
            schema,
            table,
            f"All columns of {table} are dropped: the attempt to distribute it would end the"
            " server process.",
            f"DROP TABLE {table}; or add a column to it.",
        )
    for schema, table, column, quoted, kind in facts.rows(OID_COLUMNS):
        yield facts.obstacle(
            "oid_column",
            schema,
            table,
            f"The column {column} of {table} has the type {kind}, whose values are numbers of the"
            " coordinator's catalog: the nodes have other numbers.",
            f"ALTER TABLE {table} ALTER COLUMN {quoted} TYPE text;",
        )
    for schema, table, titles in facts.rows(UNKNOWN_OBJECTS):
        yield facts.obstacle(
            "object_unknown",
            schema,
            table,
            f"{table} uses what Citus does not create on the nodes: {shortened(titles)}.",
            "Use PostgreSQL's own types and operators, and functions, in a migration.",
        )
