"""The queries that describe a schema; each reads all of its relations."""

from __future__ import annotations

from ...engine.catalog.own_sequences import HOW_IT_DIFFERS, JOIN_SEQUENCE

RELATIONS = """
SELECT c.oid, c.relname::text,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
    c.relispartition,
    CASE WHEN c.relispartition THEN '{}' ELSE ARRAY(
        SELECT h.inhparent::regclass::text FROM pg_inherits h
        WHERE h.inhrelid = c.oid ORDER BY h.inhseqno) END,
    coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""

# How a sequence differs is worded as in verify_domain, whose findings a field must match.
COLUMNS = f"""
SELECT c.oid, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    CASE WHEN d.deptype IS DISTINCT FROM 'a' THEN pg_get_expr(f.adbin, f.adrelid) END,
    a.attgenerated::text,
    CASE WHEN a.attidentity = 'a' THEN 'always' WHEN a.attidentity = 'd' THEN 'by default'
        WHEN d.deptype = 'a' THEN 'serial' ELSE '' END,
    {HOW_IT_DIFFERS},
    CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text ELSE '' END,
    coalesce(col_description(c.oid, a.attnum), '')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation l ON l.oid = a.attcollation
{JOIN_SEQUENCE}
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.oid, a.attnum
"""  # noqa: S608 (made of constants only)

CONSTRAINTS = """
SELECT c.oid, k.conname::text, k.contype::text,
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
        ORDER BY u.place),
    pg_get_expr(k.conbin, k.conrelid),
    tn.nspname::text, tc.relname::text,
    CASE WHEN k.contype <> 'f' THEN '{}' ELSE ARRAY(
        SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
        ORDER BY u.place) END,
    k.confdeltype::text, k.confupdtype::text, k.confmatchtype::text,
    k.condeferrable, k.condeferred, k.connoinherit,
    coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true),
    CASE WHEN k.contype <> 'x' THEN '{}' ELSE ARRAY(
        SELECT o.oprname::text FROM unnest(k.conexclop) WITH ORDINALITY AS u (oid, place)
        JOIN pg_operator o ON o.oid = u.oid ORDER BY u.place) END,
    coalesce(x.relname::text, '')
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = k.confrelid
LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace
LEFT JOIN pg_class x ON x.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE n.nspname = %(schema)s AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    AND NOT EXISTS (SELECT FROM pg_constraint p
        WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
ORDER BY c.oid, k.conname COLLATE "C"
"""

INDEXES = """
SELECT c.oid, x.relname::text, m.amname::text, i.indisunique, NOT i.indnullsnotdistinct,
    (SELECT jsonb_agg(jsonb_build_object(
            'column', a.attname,
            'expression', CASE WHEN k.number = 0
                THEN pg_get_indexdef(i.indexrelid, k.place::int, false) ELSE '' END,
            'opclass', CASE WHEN o.opcdefault THEN '' ELSE o.opcname END,
            'default_opclass', o.opcname,
            'collation', coalesce(l.collname, ''),
            'descending', k.flags & 1 = 1,
            'nulls_first', k.flags & 2 = 2,
            'has_parameters', xa.attoptions IS NOT NULL) ORDER BY k.place)
        FROM unnest(i.indkey[0:i.indnkeyatts - 1]::int2[], i.indclass::oid[],
            i.indcollation::oid[], i.indoption::int2[])
            WITH ORDINALITY AS k (number, class, collated, flags, place)
        JOIN pg_opclass o ON o.oid = k.class
        JOIN pg_attribute xa ON xa.attrelid = i.indexrelid AND xa.attnum = k.place
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            AND k.number <> 0
        LEFT JOIN pg_collation l ON l.oid = k.collated AND CASE
            WHEN k.number <> 0 THEN k.collated <> a.attcollation
            ELSE strpos(pg_get_indexdef(x.oid),
                pg_get_indexdef(x.oid, k.place::int, false) || ' COLLATE ') > 0 END),
    CASE WHEN i.indnatts = i.indnkeyatts THEN '{}' ELSE ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.place > i.indnkeyatts ORDER BY k.place) END,
    pg_get_expr(i.indpred, i.indrelid),
    coalesce(x.reloptions, '{}'),
    EXISTS (SELECT FROM pg_constraint k
        WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s
ORDER BY c.oid, x.relname COLLATE "C"
"""

TYPES = """
SELECT format_type(t.oid, NULL), t.typtype::text,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE '' END,
    ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid
        ORDER BY e.enumsortorder),
    coalesce((SELECT x.extname::text FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
        WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e'
            AND d.refclassid = 'pg_extension'::regclass), '')
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t'
    AND t.typtype IN ('b', 'd', 'e', 'r', 'm') AND t.typelem = 0
ORDER BY 1
"""
