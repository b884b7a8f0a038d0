"""Owners and privileges, which name roles of the whole server and are read only when asked for.

An object that was never granted anything and one that was given back its defaults are the same,
so the defaults are spelled out. MAINTAIN, which only PostgreSQL 17 and later know, is left out.
"""

from __future__ import annotations

RELATION_PRIVILEGES = """
SELECT 'privileges', quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relname,
    'owner ' || quote_ident(pg_get_userbyid(c.relowner)) || ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(coalesce(c.relacl, acldefault(
            CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
        WHERE a.privilege_type <> 'MAINTAIN' ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

COLUMN_PRIVILEGES = """
SELECT 'privileges',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(t.attname),
    c.relname,
    ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(t.attacl) a ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped AND cardinality(t.attacl) > 0
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

FUNCTION_PRIVILEGES = """
SELECT 'privileges', p.oid::regprocedure::text, NULL,
    'owner ' || quote_ident(pg_get_userbyid(p.proowner)) || ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
"""

TYPE_PRIVILEGES = """
SELECT 'privileges', t.oid::regtype::text, NULL,
    'owner ' || quote_ident(pg_get_userbyid(t.typowner)) || ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
        ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE n.nspname = %(schema)s AND (c.oid IS NULL OR c.relkind = 'c') AND t.typtype <> 'm'
    AND NOT EXISTS (SELECT FROM pg_type x WHERE x.typarray = t.oid)
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = t.tableoid AND e.objid = t.oid AND e.deptype = 'e')
"""

SCHEMA_PRIVILEGES = """
SELECT 'privileges', quote_ident(n.nspname), NULL,
    'owner ' || quote_ident(pg_get_userbyid(n.nspowner)) || ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM pg_namespace n
WHERE n.nspname = %(schema)s
"""

DEFAULT_PRIVILEGES = """
SELECT 'default privileges',
    quote_ident(n.nspname) || ' for ' || quote_ident(pg_get_userbyid(d.defaclrole)) || ' on '
        || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
            WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE d.defaclobjtype::text END,
    NULL,
    ARRAY(
        SELECT lower(a.privilege_type) || ' to '
            || CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
        FROM aclexplode(d.defaclacl) a
        WHERE a.privilege_type <> 'MAINTAIN' ORDER BY a.privilege_type, pg_get_userbyid(a.grantee))
FROM pg_default_acl d
JOIN pg_namespace n ON n.oid = d.defaclnamespace
WHERE n.nspname = %(schema)s
"""

PRIVILEGE_QUERIES = (
    RELATION_PRIVILEGES,
    COLUMN_PRIVILEGES,
    FUNCTION_PRIVILEGES,
    TYPE_PRIVILEGES,
    SCHEMA_PRIVILEGES,
    DEFAULT_PRIVILEGES,
)
