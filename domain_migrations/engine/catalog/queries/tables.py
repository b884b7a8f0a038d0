"""What hangs on a table: constraints, indexes, rules, triggers, policies, statistics."""

from __future__ import annotations

# Index-backed constraints carry their index, which has the same name; constraint triggers are
# listed as triggers; PostgreSQL 18's NOT NULL constraints as a property of their column.
CONSTRAINTS = """
SELECT 'constraint',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(k.conname),
    c.relname,
    array_remove(ARRAY[
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
        CASE WHEN k.contype = 'f' THEN (
            SELECT 'triggers ' || string_agg(DISTINCT CASE g.tgenabled WHEN 'D' THEN 'disabled'
                WHEN 'R' THEN 'on replica only' ELSE 'always' END, ', ')
            FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O') END,
        'comment ' || quote_literal(obj_description(k.oid, 'pg_constraint'))
    ], NULL)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE n.nspname = %(schema)s AND k.contype NOT IN ('n', 't')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

INDEXES = """
SELECT 'index', quote_ident(n.nspname) || '.' || quote_ident(x.relname), c.relname,
    array_remove(ARRAY[
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
    ], NULL)
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_constraint k
        WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

RULES = """
SELECT 'rule',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(r.rulename),
    c.relname,
    array_remove(ARRAY[
        pg_get_ruledef(r.oid),
        CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replica only'
            WHEN 'A' THEN 'always' END,
        'comment ' || quote_literal(obj_description(r.oid, 'pg_rewrite'))
    ], NULL)
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND r.rulename <> '_RETURN'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

TRIGGERS = """
SELECT 'trigger',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(g.tgname),
    c.relname,
    array_remove(ARRAY[
        pg_get_triggerdef(g.oid),
        CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replica only'
            WHEN 'A' THEN 'always' END,
        CASE WHEN g.tgparentid <> 0 THEN 'inherited' END,
        'comment ' || quote_literal(obj_description(g.oid, 'pg_trigger'))
    ], NULL)
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND NOT g.tgisinternal
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

POLICIES = """
SELECT 'policy',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(p.polname),
    c.relname,
    array_remove(ARRAY[
        CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
        'for ' || CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert'
            WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
        (SELECT 'to ' || string_agg(name, ', ' ORDER BY name COLLATE "C")
         FROM (SELECT CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END
               FROM unnest(p.polroles) o) roles (name)),
        'using ' || pg_get_expr(p.polqual, p.polrelid),
        'with check ' || pg_get_expr(p.polwithcheck, p.polrelid),
        'comment ' || quote_literal(obj_description(p.oid, 'pg_policy'))
    ], NULL)
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

STATISTICS = """
SELECT 'statistics', quote_ident(n.nspname) || '.' || quote_ident(s.stxname), c.relname,
    array_remove(ARRAY[
        pg_get_statisticsobjdef(s.oid),
        'target ' || nullif(s.stxstattarget, -1),
        'comment ' || quote_literal(obj_description(s.oid, 'pg_statistic_ext'))
    ], NULL)
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_class c ON c.oid = s.stxrelid
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = s.tableoid AND e.objid = s.oid AND e.deptype = 'e')
"""

TABLE_QUERIES = (CONSTRAINTS, INDEXES, RULES, TRIGGERS, POLICIES, STATISTICS)
