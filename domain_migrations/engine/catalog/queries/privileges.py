"""Owners and privileges, which name roles of the whole server and are read only on request.

Default privileges are spelled out, so that an object that was never granted equals one whose
grants were revoked. MAINTAIN, which exists since PostgreSQL 17, is left out.
"""

from __future__ import annotations

PRIVILEGES = """
WITH granted (kind, name, relation, owner, acl) AS (
    SELECT 'privileges', quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname,
        c.relowner, coalesce(c.relacl, acldefault(
            CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
    SELECT 'privileges',
        quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(t.attname),
        c.relname, NULL, t.attacl
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped AND cardinality(t.attacl) > 0
    WHERE n.nspname = %(schema)s
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
    SELECT 'privileges', p.oid::regprocedure::text, NULL,
        p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = %(schema)s
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
UNION ALL
    SELECT 'privileges', t.oid::regtype::text, NULL,
        t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE n.nspname = %(schema)s AND (c.oid IS NULL OR c.relkind = 'c') AND t.typtype <> 'm'
        AND NOT EXISTS (SELECT FROM pg_type x WHERE x.typarray = t.oid)
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = t.tableoid AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
    SELECT 'privileges', quote_ident(n.nspname), NULL,
        n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace n
    WHERE n.nspname = %(schema)s
UNION ALL
    SELECT 'default privileges',
        quote_ident(n.nspname) || ' for ' || quote_ident(pg_get_userbyid(d.defaclrole)) || ' on '
            || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE d.defaclobjtype::text END,
        NULL, NULL, d.defaclacl
    FROM pg_default_acl d
    JOIN pg_namespace n ON n.oid = d.defaclnamespace
    WHERE n.nspname = %(schema)s
)
SELECT g.kind, g.name, g.relation,
    array_remove(ARRAY['owner ' || quote_ident(pg_get_userbyid(g.owner))], NULL) || ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(g.acl) a
        WHERE a.privilege_type <> 'MAINTAIN'
        ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM granted g
"""
