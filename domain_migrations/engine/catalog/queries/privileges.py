"""Owners and privileges, which name roles of the whole server and are read only on request.

Default privileges are spelled out, so that an object that was never granted equals one whose
grants were revoked. MAINTAIN, which exists since PostgreSQL 17, is left out.
"""

from __future__ import annotations

OWNERS_AND_GRANTS = """
SELECT g.kind, g.name, g.relation,
    ARRAY['owner ' || quote_ident(pg_get_userbyid(g.owner))] || ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(g.acl) a
        WHERE a.privilege_type <> 'MAINTAIN'
        ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM (
    SELECT 'privileges', c.name, c.relname, c.relowner, coalesce(c.relacl, acldefault(
        CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
    FROM relation c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
UNION ALL
    SELECT 'privileges', c.name || '.' || quote_ident(t.attname), c.relname, NULL, t.attacl
    FROM relation c
    JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped AND cardinality(t.attacl) > 0
UNION ALL
    SELECT 'privileges', p.oid::regprocedure::text, NULL, p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    FROM routine p
UNION ALL
    SELECT 'privileges', t.oid::regtype::text, NULL, t.typowner,
        coalesce(t.typacl, acldefault('T', t.typowner))
    FROM type t
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE (t.typrelid = 0 OR c.relkind = 'c') AND t.typtype <> 'm'
        AND NOT EXISTS (SELECT FROM pg_type x WHERE x.oid = t.typelem AND x.typarray = t.oid)
UNION ALL
    SELECT 'privileges', n.oid::regnamespace::text, NULL, n.nspowner,
        coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace n
    WHERE n.nspname = %(schema)s
UNION ALL
    SELECT 'default privileges', d.defaclnamespace::regnamespace || ' for '
        || quote_ident(pg_get_userbyid(d.defaclrole)) || ' on '
        || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
            WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE d.defaclobjtype::text END,
        NULL, NULL, d.defaclacl
    FROM pg_default_acl d
    WHERE d.defaclnamespace IN (TABLE namespace)
) AS g (kind, name, relation, owner, acl)
"""
