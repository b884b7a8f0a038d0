"""Parts of queries about the sequences of columns: of identities, and of ``serial``.

Another default that uses the column's own sequence, and that of a domain over an integer, is an
expression like any other.
"""

from __future__ import annotations

JOIN_SEQUENCE = """LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
LEFT JOIN pg_depend d ON d.refclassid = c.tableoid AND d.refobjid = c.oid
    AND d.refobjsubid = a.attnum AND d.classid = c.tableoid AND d.deptype IN ('a', 'i')
    AND EXISTS (SELECT FROM pg_sequence q WHERE q.seqrelid = d.objid)
    AND (d.deptype = 'i'
        OR a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
        AND pg_get_expr(f.adbin, f.adrelid) ~ '^nextval[(]''([^'']|'''')+''::regclass[)]$'
        AND EXISTS (
            SELECT FROM pg_depend u WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid
                AND u.refclassid = c.tableoid AND u.refobjid = d.objid))
LEFT JOIN pg_sequence s ON s.seqrelid = d.objid"""
"""Joins default ``f``, dependency ``d`` and sequence ``s`` to a column ``a`` of ``c``."""

HOW_IT_DIFFERS = """concat_ws(', ',
        CASE WHEN s.seqtypid <> a.atttypid THEN 'is of type ' || s.seqtypid::regtype END,
        CASE WHEN s.seqincrement <> 1 THEN 'counts by ' || s.seqincrement END,
        CASE WHEN s.seqmin <> 1 THEN 'begins at ' || s.seqmin END,
        CASE WHEN s.seqmax <> CASE s.seqtypid WHEN 'smallint'::regtype THEN 32767
            WHEN 'integer'::regtype THEN 2147483647 ELSE 9223372036854775807 END
            THEN 'ends at ' || s.seqmax END,
        CASE WHEN s.seqcycle THEN 'starts again at its end' END)"""
"""How a sequence ``s`` differs from a plain one, as a clause."""
