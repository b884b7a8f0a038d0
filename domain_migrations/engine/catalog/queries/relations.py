"""The schema itself, its relations, and what depends on them: constraints, indexes, triggers …"""

from __future__ import annotations

SCHEMAS = """
SELECT 'schema', n.oid::regnamespace::text, NULL,
    ARRAY['comment ' || quote_literal(obj_description(n.oid, 'pg_namespace'))]
FROM namespace n
UNION ALL
SELECT 'extension', quote_ident(e.extname), NULL, ARRAY['in ' || e.extnamespace::regnamespace]
FROM pg_extension e
WHERE e.extnamespace IN (TABLE namespace)
"""

# Whether a materialized view is populated is data, like a sequence's value, and not listed.
RELATIONS = """
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
    WHEN 'f' THEN 'foreign table' ELSE 'table' END, c.name, c.relname,
ARRAY[
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
        WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing'
        WHEN 'i' THEN CASE WHEN NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)
            THEN 'replica identity lost' END END END,
    CASE WHEN c.relkind IN ('v', 'm') THEN E'as\n' || pg_get_viewdef(c.oid) END,
    'comment ' || quote_literal(obj_description(c.oid, 'pg_class'))
]
FROM relation c
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

# Positions are left out: a column that is dropped and added again can only come last, which alone
# is not a difference. PostgreSQL 18 stores NOT NULL as a constraint too, of which only NOT VALID
# and NO INHERIT are listed, never the name. Security releases from 15.20 on stamp every column
# with the option pg_attver, a position in the write-ahead log.
COLUMNS = r"""
SELECT 'column', c.name || '.' || quote_ident(a.attname), c.relname, ARRAY[
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
]
FROM relation c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n'
    AND k.conkey = ARRAY[a.attnum]
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

# The current value is data and left out. An identity's sequence belongs to its column's table.
SEQUENCES = """
SELECT 'sequence', c.name, coalesce(o.relname, c.relname), ARRAY[
    format_type(s.seqtypid, NULL),
    CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
    'start ' || s.seqstart || ' increment ' || s.seqincrement || ' minimum ' || s.seqmin
        || ' maximum ' || s.seqmax || ' cache ' || s.seqcache
        || CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END,
    CASE d.deptype WHEN 'i' THEN 'identity of ' ELSE 'owned by ' END
        || o.oid::regclass || '.' || quote_ident(a.attname),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_class'))
]
FROM relation c JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = c.tableoid AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = c.tableoid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class o ON o.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
WHERE c.relkind = 'S'
"""

# Constraints with an index include it, as it has the same name. Constraint triggers are listed as
# triggers, and PostgreSQL 18's NOT NULL constraints as a property of their column.
CONSTRAINTS = """
SELECT 'constraint', c.name || '.' || quote_ident(k.conname), c.relname, ARRAY[
    pg_get_constraintdef(k.oid),
    'index ' || pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT i.indisvalid THEN 'index not valid' END,
    CASE WHEN NOT i.indisready THEN 'index not ready' END,
    CASE WHEN i.indisclustered THEN 'clustered' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END,
    'tablespace ' || (SELECT quote_ident(t.spcname) FROM pg_class x
        JOIN pg_tablespace t ON t.oid = x.reltablespace WHERE x.oid = i.indexrelid),
    CASE WHEN k.coninhcount > 0 THEN
        CASE WHEN k.conislocal THEN 'inherited and local' ELSE 'inherited' END END,
    (SELECT 'triggers ' || string_agg(DISTINCT CASE g.tgenabled WHEN 'D' THEN 'disabled'
            WHEN 'R' THEN 'on replica only' ELSE 'always' END, ', ')
        FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O'),
    'comment ' || quote_literal(obj_description(k.oid, 'pg_constraint'))
]
FROM pg_constraint k JOIN relation c ON c.oid = k.conrelid
LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE k.contype NOT IN ('n', 't')
"""

INDEXES = """
SELECT 'index', x.relnamespace::regnamespace || '.' || quote_ident(x.relname), c.relname, ARRAY[
    pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT i.indisvalid THEN 'not valid' END,
    CASE WHEN NOT i.indisready THEN 'not ready' END,
    CASE WHEN i.indisclustered THEN 'clustered' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END,
    'tablespace ' || (SELECT quote_ident(t.spcname) FROM pg_tablespace t
                      WHERE t.oid = x.reltablespace),
    (SELECT 'part of ' || string_agg(h.inhparent::regclass::text, ', ' ORDER BY h.inhseqno)
     FROM pg_inherits h WHERE h.inhrelid = x.oid),
    (SELECT 'statistics ' || string_agg(a.attnum || ': ' || a.attstattarget, ', '
                                        ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget >= 0),
    'comment ' || quote_literal(obj_description(x.oid, 'pg_class'))
]
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
JOIN relation c ON c.oid = i.indrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k
    WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
"""

RULES = """
SELECT 'rule', c.name || '.' || quote_ident(r.rulename), c.relname, ARRAY[
    pg_get_ruledef(r.oid),
    CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replica only'
        WHEN 'A' THEN 'always' END,
    'comment ' || quote_literal(obj_description(r.oid, 'pg_rewrite'))
]
FROM pg_rewrite r JOIN relation c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN'
"""

TRIGGERS = """
SELECT 'trigger', c.name || '.' || quote_ident(g.tgname), c.relname, ARRAY[
    pg_get_triggerdef(g.oid),
    CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replica only'
        WHEN 'A' THEN 'always' END,
    CASE WHEN g.tgparentid <> 0 THEN 'inherited' END,
    'comment ' || quote_literal(obj_description(g.oid, 'pg_trigger'))
]
FROM pg_trigger g JOIN relation c ON c.oid = g.tgrelid
WHERE NOT g.tgisinternal
"""

POLICIES = """
SELECT 'policy', c.name || '.' || quote_ident(p.polname), c.relname, ARRAY[
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
    'for ' || CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert'
        WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
    (SELECT 'to ' || string_agg(name, ', ' ORDER BY name COLLATE "C")
     FROM (SELECT CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END
           FROM unnest(p.polroles) o) roles (name)),
    'using ' || pg_get_expr(p.polqual, p.polrelid),
    'with check ' || pg_get_expr(p.polwithcheck, p.polrelid),
    'comment ' || quote_literal(obj_description(p.oid, 'pg_policy'))
]
FROM pg_policy p JOIN relation c ON c.oid = p.polrelid
"""

STATISTICS = """
SELECT 'statistics', s.stxnamespace::regnamespace || '.' || quote_ident(s.stxname), c.relname,
ARRAY[
    pg_get_statisticsobjdef(s.oid),
    'target ' || nullif(s.stxstattarget, -1),
    'comment ' || quote_literal(obj_description(s.oid, 'pg_statistic_ext'))
]
FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid
WHERE s.stxnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = s.tableoid AND objid = s.oid)
"""

RELATION_QUERIES = (SCHEMAS, RELATIONS, COLUMNS, SEQUENCES)
TABLE_QUERIES = (CONSTRAINTS, INDEXES, RULES, TRIGGERS, POLICIES, STATISTICS)
