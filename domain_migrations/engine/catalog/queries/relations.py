"""The schema itself, tables, views, foreign tables, columns and sequences."""

from __future__ import annotations

SCHEMAS = """
SELECT 'schema', quote_ident(n.nspname), NULL,
    array_remove(ARRAY['comment ' || quote_literal(obj_description(n.oid, 'pg_namespace'))], NULL)
FROM pg_namespace n
WHERE n.nspname = %(schema)s
UNION ALL
SELECT 'extension', quote_ident(e.extname), NULL, ARRAY['in ' || quote_ident(n.nspname)]
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE n.nspname = %(schema)s
"""

# Whether a materialized view holds rows is data, as a sequence's value is, and not listed.
RELATIONS = """
SELECT
    CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'f' THEN 'foreign table' ELSE 'table' END,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    c.relname,
    array_remove(ARRAY[
        CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
        'of type ' || nullif(c.reloftype, 0)::regtype,
        'partition by ' || pg_get_partkeydef(c.oid),
        (SELECT 'inherits ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
         FROM pg_inherits i WHERE i.inhrelid = c.oid),
        'partition ' || pg_get_expr(c.relpartbound, c.oid),
        'server ' || quote_ident(s.srvname),
        (SELECT 'options ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
         FROM unnest(f.ftoptions) o),
        'access method ' || (SELECT quote_ident(m.amname) FROM pg_am m
                             WHERE m.oid = c.relam AND m.amname <> 'heap'),
        'tablespace ' || (SELECT quote_ident(t.spcname) FROM pg_tablespace t
                          WHERE t.oid = c.reltablespace),
        (SELECT 'with ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
         FROM unnest(c.reloptions) o),
        (SELECT 'toast with ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
         FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid),
        CASE WHEN c.relrowsecurity THEN 'row security enabled' END,
        CASE WHEN c.relforcerowsecurity THEN 'row security forced' END,
        CASE WHEN c.relkind IN ('r', 'p') THEN CASE c.relreplident
            WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' END END,
        CASE WHEN c.relkind IN ('v', 'm') THEN E'as\n' || pg_get_viewdef(c.oid) END,
        'comment ' || quote_literal(obj_description(c.oid, 'pg_class'))
    ], NULL)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

# A column has no position here: what is dropped and added again can only come last, and that
# alone is no difference. PostgreSQL 18 keeps NOT NULL as a constraint too; only what 15 cannot
# say of it (not valid, no inherit) is told, and never the constraint's name. Security releases
# from 15.20 on stamp every column with pg_attver, a position in the write-ahead log: no setting.
COLUMNS = r"""
SELECT 'column',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname),
    c.relname,
    array_remove(ARRAY[
        format_type(a.atttypid, a.atttypmod),
        'collate ' || CASE WHEN a.attcollation <> t.typcollation
            THEN a.attcollation::regcollation::text END,
        CASE WHEN a.attnotnull THEN 'not null'
            || CASE WHEN k.convalidated IS FALSE THEN ' not valid' ELSE '' END
            || CASE WHEN k.connoinherit THEN ' no inherit' ELSE '' END END,
        CASE a.attgenerated WHEN '' THEN 'default ' || pg_get_expr(d.adbin, d.adrelid)
            WHEN 's' THEN 'generated ' || pg_get_expr(d.adbin, d.adrelid) || ' stored'
            ELSE 'generated ' || pg_get_expr(d.adbin, d.adrelid) || ' virtual' END,
        CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
        CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || CASE a.attstorage
            WHEN 'p' THEN 'plain' WHEN 'm' THEN 'main' WHEN 'e' THEN 'external'
            ELSE 'extended' END END,
        CASE a.attcompression WHEN 'p' THEN 'compression pglz' WHEN 'l' THEN 'compression lz4' END,
        'statistics ' || nullif(a.attstattarget, -1),
        (SELECT 'with ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
         FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%%'),
        (SELECT 'options ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
         FROM unnest(a.attfdwoptions) o),
        CASE WHEN a.attinhcount > 0 THEN
            CASE WHEN a.attislocal THEN 'inherited and local' ELSE 'inherited' END END,
        'comment ' || quote_literal(col_description(c.oid, a.attnum))
    ], NULL)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n'
    AND k.conkey = ARRAY[a.attnum]
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

# The current value is data and not listed. An identity's sequence belongs to its column's table.
SEQUENCES = """
SELECT 'sequence', quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    coalesce(o.relname, c.relname),
    array_remove(ARRAY[
        format_type(s.seqtypid, NULL),
        CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
        'start ' || s.seqstart || ' increment ' || s.seqincrement || ' minimum ' || s.seqmin
            || ' maximum ' || s.seqmax || ' cache ' || s.seqcache
            || CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END,
        CASE d.deptype WHEN 'i' THEN 'identity of ' ELSE 'owned by ' END
            || o.oid::regclass || '.' || quote_ident(a.attname),
        'comment ' || quote_literal(obj_description(c.oid, 'pg_class'))
    ], NULL)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = c.tableoid AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = c.tableoid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class o ON o.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
WHERE n.nspname = %(schema)s AND c.relkind = 'S'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

RELATION_QUERIES = (SCHEMAS, RELATIONS, COLUMNS, SEQUENCES)
