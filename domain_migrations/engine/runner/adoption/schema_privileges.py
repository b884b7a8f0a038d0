"""Privileges that roles need in the new schema: USAGE, and the defaults for new tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import quote
from ...sessions.connection import fetch_all, fetch_one
from .moves import Move
from .objects import MovedObject

# A role of "" is PUBLIC. Owners may also create indexes and the like, as in the old schema.
ROLES = """
SELECT coalesce(r.rolname, ''), bool_or(found.is_owner)
FROM (
    SELECT c.relowner AS role, true AS is_owner FROM pg_class c WHERE c.oid = ANY(%(oids)s)
    UNION ALL
    SELECT a.grantee, false FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = ANY(%(oids)s)
    UNION ALL
    SELECT a.grantee, false FROM pg_attribute t, aclexplode(t.attacl) a
    WHERE t.attrelid = ANY(%(oids)s)
) AS found
LEFT JOIN pg_roles r ON r.oid = found.role
WHERE found.role = 0 OR NOT r.rolsuper
GROUP BY 1 ORDER BY 1
"""

DEFAULTS = """
SELECT r.rolname, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
        WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' END,
    a.privilege_type, coalesce(g.rolname, ''), a.is_grantable,
    pg_has_role(d.defaclrole, 'MEMBER')
FROM pg_default_acl d
JOIN pg_roles r ON r.oid = d.defaclrole
CROSS JOIN LATERAL aclexplode(d.defaclacl) a
LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE d.defaclnamespace = to_regnamespace(quote_ident(%s))
    AND d.defaclobjtype IN ('r', 'S', 'f', 'T') AND a.grantee <> d.defaclrole
ORDER BY 1, 2, 4, 3
"""

OWNS_SCHEMA = """
SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = %s
"""


def privilege_statements(
    connection: BaseDatabaseWrapper, move: Move, objects: Sequence[MovedObject]
) -> Iterator[str]:
    """Yield the statements after which every role can do what it could before.

    Nothing is granted when tables move back: the privileges in core's schema were never revoked.
    """
    if move.backwards:
        return
    schema = quote(move.target.schema)
    owner = fetch_one(connection, OWNS_SCHEMA, [move.target.schema])
    oids = [item.oid for item in objects if item.is_relation]
    (login,) = fetch_one(connection, "SELECT current_user")
    for role, is_owner in fetch_all(connection, ROLES, {"oids": oids}):
        if role != (owner[0] if owner else login):
            more = ", CREATE" if is_owner else ""
            yield f"GRANT USAGE{more} ON SCHEMA {schema} TO {_role(role)}"
    for role, kind, privilege, grantee, can_grant, is_member in fetch_all(
        connection, DEFAULTS, [move.source.schema]
    ):
        if is_member:
            option = " WITH GRANT OPTION" if can_grant else ""
            yield (
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(role)} IN SCHEMA {schema}"
                f" GRANT {privilege} ON {kind} TO {_role(grantee)}{option}"
            )


def uncopied_defaults(connection: BaseDatabaseWrapper, move: Move) -> list[str]:
    """Return the roles whose default privileges only they, or a superuser, can copy."""
    rows = fetch_all(connection, DEFAULTS, [move.source.schema])
    return sorted({role for role, *_, is_member in rows if not is_member})


def _role(name: str) -> str:
    return quote(name) if name else "PUBLIC"
