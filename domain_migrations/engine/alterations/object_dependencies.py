"""The dependencies between the objects of a schema, as ``pg_depend`` records them."""

from __future__ import annotations

from ..catalog.queries import OWN

# Names are those of the queries of the fingerprint. The sequence that a column owns does not need
# the column here: it is created first, and owned last.
NAMED = """
, named AS (
    SELECT 'pg_class'::regclass AS classid, c.oid AS objid, 0 AS objsubid,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
            WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind,
        c.name
    FROM relation c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, 'column', c.name || '.' || quote_ident(a.attname)
    FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, 0, 'column', c.name || '.' || quote_ident(a.attname)
    FROM relation c JOIN pg_attrdef d ON d.adrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, 'constraint',
        c.name || '.' || quote_ident(k.conname)
    FROM relation c JOIN pg_constraint k ON k.conrelid = c.oid
    WHERE k.contype NOT IN ('n', 't')
    UNION ALL
    SELECT 'pg_class'::regclass, x.oid, 0, CASE WHEN k.oid IS NULL THEN 'index'
            ELSE 'constraint' END,
        CASE WHEN k.oid IS NULL THEN x.relnamespace::regnamespace || '.' || quote_ident(x.relname)
            ELSE c.name || '.' || quote_ident(k.conname) END
    FROM relation c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = c.oid
        AND k.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 'pg_rewrite'::regclass, r.oid, 0,
        CASE WHEN r.rulename <> '_RETURN' THEN 'rule' WHEN c.relkind = 'v' THEN 'view'
            ELSE 'materialized view' END,
        CASE WHEN r.rulename <> '_RETURN' THEN c.name || '.' || quote_ident(r.rulename)
            ELSE c.name END
    FROM relation c JOIN pg_rewrite r ON r.ev_class = c.oid
    UNION ALL
    SELECT 'pg_trigger'::regclass, g.oid, 0, 'trigger', c.name || '.' || quote_ident(g.tgname)
    FROM relation c JOIN pg_trigger g ON g.tgrelid = c.oid WHERE NOT g.tgisinternal
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, 'policy', c.name || '.' || quote_ident(p.polname)
    FROM relation c JOIN pg_policy p ON p.polrelid = c.oid
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 0, 'statistics',
        s.stxnamespace::regnamespace || '.' || quote_ident(s.stxname)
    FROM pg_statistic_ext s WHERE s.stxnamespace IN (TABLE namespace)
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, CASE p.prokind WHEN 'p' THEN 'procedure'
            WHEN 'w' THEN 'window function' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
        p.oid::regprocedure::text
    FROM routine p
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
            WHEN 'f' THEN 'foreign table' WHEN 'r' THEN 'table' WHEN 'p' THEN 'table'
            ELSE 'type' END,
        CASE WHEN c.relkind IS NULL OR c.relkind = 'c' THEN e.oid::regtype::text
            ELSE c.relnamespace::regnamespace || '.' || quote_ident(c.relname) END
    FROM type t
    LEFT JOIN pg_type a ON a.typarray = t.oid
    LEFT JOIN pg_range r ON r.rngmultitypid = t.oid
    JOIN pg_type e ON e.oid = coalesce(a.oid, r.rngtypid, t.oid)
    LEFT JOIN pg_class c ON c.oid = e.typrelid
    UNION ALL
    SELECT 'pg_class'::regclass, t.typrelid, a.attnum, 'type', t.oid::regtype::text
    FROM type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
    JOIN pg_attribute a ON a.attrelid = c.oid
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, 'type', k.contypid::regtype::text
    FROM pg_constraint k WHERE k.contypid IN (SELECT oid FROM type)
    UNION ALL
    SELECT 'pg_collation'::regclass, l.oid, 0, 'collation', l.oid::regcollation::text
    FROM pg_collation l WHERE l.collnamespace IN (TABLE namespace)
    UNION ALL
    SELECT 'pg_cast'::regclass, l.oid, 0, 'cast',
        l.castsource::regtype || ' as ' || l.casttarget::regtype
    FROM pg_cast l WHERE l.castsource IN (SELECT oid FROM type)
        OR l.casttarget IN (SELECT oid FROM type)
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 0, 'operator', o.oid::regoperator::text
    FROM pg_operator o WHERE o.oprnamespace IN (TABLE namespace)
)
"""

SELECT_DEPENDENCIES = """
SELECT DISTINCT d.kind, d.name, r.kind, r.name
FROM pg_depend p
JOIN named d ON (d.classid, d.objid, d.objsubid) = (p.classid, p.objid, p.objsubid)
JOIN named r ON (r.classid, r.objid, r.objsubid) = (p.refclassid, p.refobjid, p.refobjsubid)
WHERE (d.kind, d.name) <> (r.kind, r.name)
    AND NOT (d.kind = 'sequence' AND p.deptype IN ('a', 'i'))
"""

SELECT_POSITIONS = """
SELECT c.name, c.name || '.' || quote_ident(a.attname),
    a.attnum - 1 - coalesce(lag(a.attnum) OVER (PARTITION BY c.oid ORDER BY a.attnum), 0)
FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.name, a.attnum
"""

DEPENDENCIES = OWN + NAMED + SELECT_DEPENDENCIES
POSITIONS = OWN + SELECT_POSITIONS
