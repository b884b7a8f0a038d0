"""The objects that belong to the tables of an adoption, and follow them or stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.sessions.connection import fetch_all, fetch_one

# Each query returns a name, the relation it belongs to, and more.
PARTS: dict[str, LiteralString] = {
    "sequences": """
SELECT s.oid::regclass::text, d.refobjid::regclass::text, 'owned'
FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
WHERE s.relkind = 'S' AND d.refobjid = ANY(%(oids)s) ORDER BY 1
""",
    "triggers": """
SELECT quote_ident(t.tgname), t.tgrelid::regclass::text, t.tgfoid::regprocedure::text
FROM pg_trigger t WHERE t.tgrelid = ANY(%(oids)s) AND NOT t.tgisinternal AND t.tgparentid = 0
ORDER BY 2, 1
""",
    "policies": """
SELECT quote_ident(p.polname), p.polrelid::regclass::text, coalesce(
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy p WHERE p.polrelid = ANY(%(oids)s) ORDER BY 2, 1
""",
    "rules": """
SELECT quote_ident(r.rulename), r.ev_class::regclass::text, ''
FROM pg_rewrite r WHERE r.ev_class = ANY(%(oids)s) AND r.rulename <> '_RETURN' ORDER BY 2, 1
""",
    "grants": """
SELECT coalesce(r.rolname, 'PUBLIC'), c.oid::regclass::text,
    string_agg(DISTINCT a.privilege_type, ', ')
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = ANY(%(oids)s) AND a.grantee <> c.relowner GROUP BY 1, 2 ORDER BY 2, 1
""",
    "default_privileges": """
SELECT pg_get_userbyid(d.defaclrole)::text, d.defaclnamespace::regnamespace::text,
    array_to_string(d.defaclacl, ', ')
FROM pg_default_acl d WHERE d.defaclnamespace = to_regnamespace(quote_ident(%(schema)s))
ORDER BY 1, 3
""",
    "publications": """
SELECT quote_ident(p.pubname), r.prrelid::regclass::text, 'table'
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
WHERE r.prrelid = ANY(%(oids)s)
UNION ALL
SELECT quote_ident(p.pubname), n.pnnspid::regnamespace::text, 'schema'
FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = n.pnpubid
WHERE n.pnnspid = to_regnamespace(quote_ident(%(schema)s))
ORDER BY 1, 2
""",
    "staying_views": """
SELECT DISTINCT v.oid::regclass::text, min(d.refobjid::regclass::text),
    'it is read by something that does not move, or is the table of another app''s model'
FROM pg_rewrite w JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%(oids)s)
WHERE v.oid <> ALL(%(oids)s) AND coalesce(obj_description(v.oid, 'pg_class'), '')
    NOT LIKE 'domain\\_migrations: stands in for %%'
GROUP BY 1 ORDER BY 1
""",
}
KEPT_NAMES = """
SELECT (SELECT count(*) FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = ANY(%(oids)s) AND d.deptype IN ('a', 'i')),
    (SELECT count(*) FROM pg_index WHERE indrelid = ANY(%(oids)s)),
    (SELECT count(*) FROM pg_constraint WHERE conrelid = ANY(%(oids)s) AND contype <> 'n')
"""
TITLES = {
    "sequences": "Sequences that follow their tables",
    "triggers": "Triggers",
    "policies": "Policies",
    "rules": "Rules",
    "grants": "Grants, which stay; the roles get USAGE on the schema",
    "default_privileges": "Default privileges, which are copied",
    "publications": "Publications",
    "staying_views": "Views that stay and keep working",
}


def read_parts(
    connection: BaseDatabaseWrapper, oids: Sequence[int], schema: str
) -> dict[str, list[tuple[str, str, str]]]:
    """Return kind of object → name, relation and more of each.

    Arguments:
        oids: those of the relations that move.
        schema: where they are.
    """
    params = {"oids": oids, "schema": schema}
    return {kind: fetch_all(connection, query, params) for kind, query in PARTS.items()}


def kept_names(connection: BaseDatabaseWrapper, oids: Sequence[int]) -> tuple[int, int, int]:
    """Return how many sequences, indexes and constraints tables have, which keep their names."""
    sequences, indexes, constraints = fetch_one(connection, KEPT_NAMES, {"oids": oids})
    return sequences, indexes, constraints
