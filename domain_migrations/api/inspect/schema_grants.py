"""The privileges of roles on the objects of a schema, as far as new objects do not have them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.catalog.fingerprint import catalog_cursor
from ...engine.sessions.connection import fetch_all, fetch_one

# Only what differs from what every new object of its owner has. The owner's own are left out.
SELECT_PRIVILEGES = """
WITH own AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_namespace n WHERE n.nspname = %(schema)s
), relation AS MATERIALIZED (
    SELECT c.oid, quote_ident(own.nspname) || '.' || quote_ident(c.relname) AS name, c.relkind,
        c.relowner, c.relacl
    FROM pg_class c JOIN own ON own.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relname <> ALL (%(exclude)s)
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
), object (place, name, part, owner, acl, usual) AS (
    SELECT 0, 'SCHEMA ' || quote_ident(nspname), '', nspowner, nspacl, acldefault('n', nspowner)
    FROM own
UNION ALL
    SELECT 1, CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || name, '', relowner,
        relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)
    FROM relation
UNION ALL
    SELECT 2, 'TABLE ' || r.name, ' (' || quote_ident(a.attname) || ')', r.relowner, a.attacl,
        NULL::aclitem[]
    FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
UNION ALL
    SELECT 3, 'ROUTINE ' || p.oid::regprocedure, '', p.proowner, p.proacl,
        acldefault('f', p.proowner)
    FROM pg_proc p JOIN own ON own.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype = 'e')
UNION ALL
    SELECT 4, 'TYPE ' || t.oid::regtype, '', t.typowner, t.typacl, acldefault('T', t.typowner)
    FROM pg_type t JOIN own ON own.oid = t.typnamespace
    WHERE t.typacl IS NOT NULL AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = t.tableoid AND e.objid = t.oid AND e.deptype = 'e')
), change AS (
    SELECT o.place, o.name, 'GRANT' AS verb, a.grantee, a.is_grantable,
        a.privilege_type || o.part AS privilege,
        (SELECT count(*) FROM aclexplode(o.usual) u WHERE u.grantee = o.owner) AS every
    FROM object o CROSS JOIN LATERAL aclexplode(o.acl) a
    WHERE a.grantee <> o.owner AND NOT EXISTS (SELECT FROM aclexplode(o.usual) u
        WHERE u.grantee = a.grantee AND u.privilege_type = a.privilege_type)
UNION ALL
    SELECT o.place, o.name, 'REVOKE', u.grantee, false, u.privilege_type, 0
    FROM object o CROSS JOIN LATERAL aclexplode(o.usual) u
    WHERE o.acl IS NOT NULL AND u.grantee <> o.owner AND NOT EXISTS (
        SELECT FROM aclexplode(o.acl) a
        WHERE a.grantee = u.grantee AND a.privilege_type = u.privilege_type)
UNION ALL
    SELECT 5, quote_ident(r.rolname) || ' IN SCHEMA ' || quote_ident(own.nspname)
            || CASE d.defaclobjtype WHEN 'r' THEN ' ON TABLES' WHEN 'S' THEN ' ON SEQUENCES'
                WHEN 'f' THEN ' ON ROUTINES' ELSE ' ON TYPES' END,
        'GRANT', a.grantee, a.is_grantable, a.privilege_type, 0
    FROM pg_default_acl d JOIN own ON own.oid = d.defaclnamespace
    JOIN pg_roles r ON r.oid = d.defaclrole
    CROSS JOIN LATERAL aclexplode(d.defaclacl) a
    WHERE a.grantee <> d.defaclrole
)
SELECT coalesce(g.rolname::text, ''), coalesce(quote_ident(g.rolname), 'PUBLIC'),
    c.place, c.name, c.verb, c.is_grantable,
    CASE WHEN count(*) = c.every AND c.every > 1 THEN 'ALL'
        ELSE string_agg(c.privilege, ', ' ORDER BY c.privilege)
            FILTER (WHERE c.privilege <> 'MAINTAIN') END
FROM change c LEFT JOIN pg_roles g ON g.oid = c.grantee
WHERE c.grantee = 0 OR g.rolname IS NOT NULL
GROUP BY g.rolname, 3, 4, 5, 6, c.every
ORDER BY coalesce(g.rolname::text, '') COLLATE "C", 3, 4, 5, 6
"""

SELECT_MEMBERS = "SELECT quote_ident(rolname) FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')"


class Privilege(NamedTuple):
    """What a role is granted, or PUBLIC is denied.

    Attributes:
        role: "" for PUBLIC.
        statement, undo: as SQL.
        on: what it is about, as GRANT names it: ``TABLE depot.items``.
        by: the role whose default privileges they are, else "".
        outlives: whether it is there without the tables, types and functions of the schema.
    """

    role: str
    statement: str
    undo: str
    on: str
    by: str = ""
    outlives: bool = False


def read_privileges(
    connection: BaseDatabaseWrapper, schema: str, *, exclude: Collection[str] = ()
) -> tuple[Privilege, ...]:
    """Return what roles but the owners may do that they could not with objects just created.

    Arguments:
        exclude: relations of the schema that do not count.
    """
    with catalog_cursor(connection) as cursor:
        cursor.execute(SELECT_PRIVILEGES, {"schema": schema, "exclude": list(exclude)})
        return tuple(_privilege(*row) for row in cursor.fetchall() if row[-1])


def privilege_differences(
    connection: BaseDatabaseWrapper,
    schema: str,
    wanted: Iterable[Privilege],
    *,
    exclude: Collection[str] = (),
) -> Iterator[str]:
    """Yield what differs from the privileges of the source, on the same server."""
    expected = set(comparable_privileges(connection, wanted))
    found = set(read_privileges(connection, schema, exclude=exclude))
    for item in sorted(expected ^ found):
        yield f"privileges: {'missing' if item in expected else 'added'}: {item.statement}"


def comparable_privileges(
    connection: BaseDatabaseWrapper, privileges: Iterable[Privilege]
) -> Iterator[Privilege]:
    """Yield what the role of a connection can grant in a schema that is its own.

    Not what the role itself is granted, which owns the objects, and not the default privileges of
    roles that it is not a member of.
    """
    (user,) = fetch_one(connection, "SELECT current_user::text")
    members = {name for (name,) in fetch_all(connection, SELECT_MEMBERS)}
    for item in privileges:
        if item.role != user and (not item.by or item.by in members):
            yield item


def _privilege(
    role: str, to: str, place: int, name: str, verb: str, can_grant: bool, what: str
) -> Privilege:
    option = " WITH GRANT OPTION" if can_grant else ""
    grant, revoke = f"GRANT {what} ON {name} TO {to}", f"REVOKE {what} ON {name} FROM {to};"
    if verb == "REVOKE":
        return Privilege(role, revoke, f"{grant};", name, outlives=place == 0)
    if place < 5:
        return Privilege(role, f"{grant}{option};", revoke, name, outlives=place == 0)
    start, _, kind = name.rpartition(" ON ")
    start = f"ALTER DEFAULT PRIVILEGES FOR ROLE {start}"
    return Privilege(
        role,
        f"{start} GRANT {what} ON {kind} TO {to}{option};",
        f"{start} REVOKE {what} ON {kind} FROM {to};",
        name,
        name.rpartition(" IN SCHEMA ")[0],
        outlives=True,
    )
