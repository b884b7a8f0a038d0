"""Privileges that roles need in the new schema: USAGE, and the defaults for new tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import quote
from ....domains import get_domains
from ...sessions.connection import fetch_all, fetch_one
from ...sessions.roles import role_name
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

ON_SCHEMA = """
SELECT coalesce(r.rolname, ''), a.privilege_type
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = %s
"""

USES_SCHEMA = """
SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON has_schema_privilege(r.oid, n.oid, 'USAGE')
WHERE n.nspname = %(schema)s
UNION ALL
SELECT '' FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = %(schema)s AND a.grantee = 0 AND a.privilege_type = 'USAGE'
"""

OWNS_SCHEMA = """
SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = %s
"""


class Grant(NamedTuple):
    """A privilege that a role gets in the new schema, and its end."""

    statement: str
    revocation: str


def new_grants(
    connection: BaseDatabaseWrapper, move: Move, objects: Sequence[MovedObject]
) -> Iterator[Grant]:
    """Yield the grants after which every role can do what it could before.

    Nothing is granted when tables move back: the privileges in core's schema were never revoked.
    Roles of other domains, which have ``REFERENCES`` on all tables of core, get nothing.
    """
    if move.backwards:
        return
    schema = quote(move.target.schema)
    owner = fetch_one(connection, OWNS_SCHEMA, [move.target.schema])
    (login,) = fetch_one(connection, "SELECT current_user")
    others = {role_name(connection, domain) for domain in get_domains() if not domain.is_core}
    known = set(fetch_all(connection, ON_SCHEMA, [move.target.schema]))
    oids = [item.oid for item in objects if item.is_relation]
    for role, is_owner in fetch_all(connection, ROLES, {"oids": oids}):
        wanted = ("USAGE", "CREATE") if is_owner else ("USAGE",)
        lacking = ", ".join(each for each in wanted if (role, each) not in known)
        if lacking and role not in others and role != (owner[0] if owner else login):
            yield Grant(
                f"GRANT {lacking} ON SCHEMA {schema} TO {_role(role)}",
                f"REVOKE {lacking} ON SCHEMA {schema} FROM {_role(role)}",
            )
    defaults = set(fetch_all(connection, DEFAULTS, [move.target.schema]))
    for found in fetch_all(connection, DEFAULTS, [move.source.schema]):
        role, kind, privilege, grantee, can_grant, is_member = found
        if is_member and found not in defaults and grantee not in others:
            option = " WITH GRANT OPTION" if can_grant else ""
            head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(role)} IN SCHEMA {schema}"
            on = f"{privilege} ON {kind}"
            yield Grant(
                f"{head} GRANT {on} TO {_role(grantee)}{option}",
                f"{head} REVOKE {on} FROM {_role(grantee)}",
            )


def uncopied_defaults(connection: BaseDatabaseWrapper, move: Move) -> list[str]:
    """Return the roles whose default privileges only they, or a superuser, can copy."""
    rows = fetch_all(connection, DEFAULTS, [move.source.schema])
    return sorted({role for role, *_, is_member in rows if not is_member})


def _role(name: str) -> str:
    return quote(name) if name else "PUBLIC"
