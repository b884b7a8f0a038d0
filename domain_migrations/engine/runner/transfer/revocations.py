"""Revocations of what a transfer has granted, as far as they are possible and nobody minds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import quote
from ....domains import QualifiedName
from ...sessions.connection import fetch_all
from ..adoption.schema_privileges import ON_SCHEMA

# A role of "" is PUBLIC. Sequences that belong to a table go where it goes.
NEEDED_BY = """
WITH home AS (
    SELECT to_regnamespace(quote_ident(%(schema)s))::oid AS oid
), staying AS (
    SELECT c.oid, c.relowner, c.relacl FROM pg_class c, home
    WHERE c.relnamespace = home.oid AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
        AND c.oid <> ALL(%(moved)s)
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%(moved)s)
                AND d.deptype IN ('a', 'i'))
)
SELECT DISTINCT coalesce(r.rolname, '')
FROM (
    SELECT relowner AS role FROM staying
    UNION ALL
    SELECT a.grantee FROM staying s, aclexplode(s.relacl) a
    UNION ALL
    SELECT a.grantee FROM staying s
        JOIN pg_attribute t ON t.attrelid = s.oid, aclexplode(t.attacl) a
    UNION ALL
    SELECT a.grantee FROM home, pg_proc p, aclexplode(p.proacl) a
    WHERE p.pronamespace = home.oid AND p.oid <> ALL(%(moved)s)
    UNION ALL
    SELECT a.grantee FROM home, pg_type t, aclexplode(t.typacl) a
    WHERE t.typnamespace = home.oid AND t.oid <> ALL(%(moved)s)
) AS found
LEFT JOIN pg_roles r ON r.oid = found.role
WHERE found.role = 0 OR r.oid IS NOT NULL
"""

PUBLISHED = """
SELECT quote_ident(p.pubname), n.nspname, c.relname
FROM pg_publication_rel r
JOIN pg_publication p ON p.oid = r.prpubid
JOIN pg_class c ON c.oid = r.prrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%s)
"""


def usage_revocation(schema: str, role: str) -> str:
    """Return the statement that ends the privilege of a role, "" for PUBLIC, to use a schema."""
    return f"REVOKE USAGE ON SCHEMA {quote(schema)} FROM {quote(role) if role else 'PUBLIC'}"


def publication_end(publication: str, table: QualifiedName) -> str:
    """Return the statement that takes a table out of a publication, whose name is quoted."""
    return f"ALTER PUBLICATION {publication} DROP TABLE ONLY {table.db_table}"


def remaining_revocations(
    connection: BaseDatabaseWrapper,
    recorded: Sequence[str],
    schema: str,
    moved: Sequence[int],
) -> Iterator[str]:
    """Yield those of the statements that still have something to revoke.

    A role or publication may be gone since the transfer, and a role that has privileges on
    something else in the schema keeps its USAGE.

    Arguments:
        schema: the one that the objects are about to leave.
        moved: the oids of these objects.
    """
    if not recorded:
        return
    params = {"schema": schema, "moved": list(moved)}
    needed = {role for (role,) in fetch_all(connection, NEEDED_BY, params)}
    possible = {
        usage_revocation(schema, role)
        for role, privilege in fetch_all(connection, ON_SCHEMA, [schema])
        if privilege == "USAGE" and role not in needed
    }
    possible |= {
        publication_end(publication, QualifiedName(*table))
        for publication, *table in fetch_all(connection, PUBLISHED, [list(moved)])
    }
    yield from (statement for statement in recorded if statement in possible)
