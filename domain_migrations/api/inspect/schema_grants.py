"""The privileges of roles on the objects of a schema, as statements of a migration.

Roles are the server's: another server may lack some of them. So what a role is granted is granted
only where it exists, and the rest of the migration does not depend on it. PUBLIC exists everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.names import quote
from ...engine.catalog.fingerprint import catalog_cursor
from ...engine.sessions.connection import fetch_all, fetch_one
from ...engine.sql.literals import quote_literal
from .statement_groups import StatementGroup

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

SELECT_OWNERS = """
SELECT pg_get_userbyid(found.owner)::text, count(*), pg_get_userbyid(found.owner) = current_user
FROM pg_namespace n CROSS JOIN LATERAL (
    SELECT c.relowner FROM pg_class c
        WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND c.relname <> ALL (%(exclude)s)
    UNION ALL SELECT p.proowner FROM pg_proc p WHERE p.pronamespace = n.oid
) AS found (owner)
WHERE n.nspname = %(schema)s GROUP BY 1, 3 ORDER BY 1
"""

SELECT_MEMBERS = "SELECT quote_ident(rolname) FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')"

SELECT_PUBLICATIONS = """
SELECT p.pubname::text, coalesce(
    (SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
     FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid
     WHERE r.prpubid = p.oid AND c.relnamespace = n.oid),
    CASE WHEN s.oid IS NOT NULL THEN 'every table of the schema' END) AS what
FROM pg_namespace n CROSS JOIN pg_publication p
LEFT JOIN pg_publication_namespace s ON s.pnpubid = p.oid AND s.pnnspid = n.oid
WHERE n.nspname = %(schema)s ORDER BY 1
"""


class Privilege(NamedTuple):
    """What a role is granted, or PUBLIC is denied.

    Attributes:
        role: "" for PUBLIC.
        statement, reverse: as SQL; ``reverse`` is "" for what goes with its object.
        by: the role whose default privileges they are, else "".
    """

    role: str
    statement: str
    reverse: str = ""
    by: str = ""


def read_privileges(
    connection: BaseDatabaseWrapper, schema: str, *, exclude: Collection[str] = ()
) -> tuple[Privilege, ...]:
    """Return what roles but the owners may do that they could not with objects just created.

    Arguments:
        exclude: relations of the schema that do not count.
    """
    rows = _rows(connection, SELECT_PRIVILEGES, schema, exclude)
    return tuple(_privilege(*row) for row in rows if row[-1])


def privilege_differences(
    connection: BaseDatabaseWrapper,
    schema: str,
    wanted: Iterable[Privilege],
    *,
    exclude: Collection[str] = (),
) -> Iterator[str]:
    """Yield what differs from the privileges of the source, on the same server.

    Not what the role itself is granted, which owns the objects, and not the default privileges of
    roles that it is not a member of.
    """
    (user,) = fetch_one(connection, "SELECT current_user::text")
    members = {name for (name,) in fetch_all(connection, SELECT_MEMBERS)}
    expected = {
        item for item in wanted if item.role != user and (not item.by or item.by in members)
    }
    found = set(read_privileges(connection, schema, exclude=exclude))
    for item in sorted(expected ^ found):
        yield f"privileges: {'missing' if item in expected else 'added'}: {item.statement}"


def privilege_groups(privileges: Iterable[Privilege]) -> Iterator[StatementGroup]:
    """Yield the statements, one group for PUBLIC and one for each role."""
    for role, found in groupby(privileges, key=lambda item: item.role):
        items = list(found)
        forwards = _where_roles_exist(role, [(item.by, item.statement) for item in items])
        undone = [(item.by, item.reverse) for item in reversed(items) if item.reverse]
        yield StatementGroup("", list(forwards), list(_where_roles_exist(role, undone)))


def privilege_notes(
    connection: BaseDatabaseWrapper,
    schema: str,
    privileges: Iterable[Privilege],
    *,
    exclude: Collection[str] = (),
) -> Iterator[str]:
    """Yield what people should know about privileges, owners and publications."""
    if roles := sorted({item.role for item in privileges if item.role}):
        yield (
            f"What {', '.join(roles)} may do is granted by the migration where the role exists."
            " It creates no role."
        )
    owners = _rows(connection, SELECT_OWNERS, schema, exclude)
    if [is_own for _, _, is_own in owners] not in ([True], []):
        listed = ", ".join(f"{count} to {owner}" for owner, count, _ in owners)
        yield (
            f"Of the relations and functions {listed} belong. Owners are not part of the migration:"
            " the role that migrates owns what it creates."
        )
    for name, what in _rows(connection, SELECT_PUBLICATIONS, schema, exclude):
        if what is not None:
            yield (
                f"The publication {name} has {what}. It is the database's, so it is not part of"
                " the migration: publish in other databases with ALTER PUBLICATION."
            )


def _privilege(
    role: str, to: str, place: int, name: str, verb: str, can_grant: bool, what: str
) -> Privilege:
    option = " WITH GRANT OPTION" if can_grant else ""
    if verb == "REVOKE":
        undo = f"GRANT {what} ON {name} TO {to};" if place == 0 else ""
        return Privilege(role, f"REVOKE {what} ON {name} FROM {to};", undo)
    if place < 5:
        undo = f"REVOKE {what} ON {name} FROM {to};" if place == 0 else ""
        return Privilege(role, f"GRANT {what} ON {name} TO {to}{option};", undo)
    start, _, kind = name.rpartition(" ON ")
    start = f"ALTER DEFAULT PRIVILEGES FOR ROLE {start}"
    return Privilege(
        role,
        f"{start} GRANT {what} ON {kind} TO {to}{option};",
        f"{start} REVOKE {what} ON {kind} FROM {to};",
        name.rpartition(" IN SCHEMA ")[0],
    )


def _where_roles_exist(role: str, statements: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the statements in blocks that do nothing where a role is missing.

    Arguments:
        statements: each with the role whose default privileges it changes, or "".
    """
    for by, found in groupby(statements, key=lambda item: item[0]):
        texts = [text for _, text in found]
        needed = []
        if role:
            needed.append(f"to_regrole({quote_literal(quote(role))}) IS NOT NULL")
        if by:
            # Only a member of a role may change its default privileges.
            needed.append(f"pg_has_role(to_regrole({quote_literal(by)}), 'MEMBER')")
        if not needed:
            yield from texts
            continue
        body = "".join(f"        {text}\n" for text in texts)
        condition = " AND ".join(needed)
        tag = "$grants$" if "$grants$" not in body else "$privileges$"
        yield (f"DO {tag}\nBEGIN\n    IF {condition} THEN\n{body}    END IF;\nEND\n{tag};")


def _rows(
    connection: BaseDatabaseWrapper, query: str, schema: str, exclude: Collection[str]
) -> list[tuple[Any, ...]]:
    with catalog_cursor(connection) as cursor:
        cursor.execute(query, {"schema": schema, "exclude": list(exclude)})
        return list(cursor.fetchall())
