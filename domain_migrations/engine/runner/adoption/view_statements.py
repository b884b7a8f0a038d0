"""The statements that create and drop the views under the old names of adopted tables."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import quote
from ....domains import QualifiedName
from ...catalog.compat_views import comment_statement, drop_statement, read_views_of_adoptions
from ...sessions.connection import fetch_all
from ...sources.adoptions import Adoption
from .moves import Move
from .objects import MovedObject

# Privileges that a view does not have are left out; PUBLIC is "".
SELECT_GRANTS = """
SELECT a.privilege_type, NULL, coalesce(r.rolname, ''), a.is_grantable
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = %(oid)s AND a.grantee <> c.relowner
    AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
UNION ALL
SELECT a.privilege_type, t.attname, coalesce(r.rolname, ''), a.is_grantable
FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE t.attrelid = %(oid)s AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
ORDER BY 1, 2, 3
"""

SELECT_OWNER = """
SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
WHERE c.oid = %s AND r.rolname <> current_user
"""


def create_statements(
    connection: BaseDatabaseWrapper, move: Move, objects: Sequence[MovedObject]
) -> Iterator[str]:
    """Yield the statements that create the views, after the tables have moved."""
    until = move.adoption.compat_views_until
    if move.backwards or until is None:
        return
    for item in objects:
        if item.is_relation and item.kind != "SEQUENCE":
            yield from _create(connection, item, until)


def _create(
    connection: BaseDatabaseWrapper, item: MovedObject, until: datetime.date
) -> Iterator[str]:
    yield from view_statements(connection, item.oid, item.old, item.new, security_invoker=True)
    yield comment_statement(item.old, item.new, until)
    for (owner,) in fetch_all(connection, SELECT_OWNER, [item.oid]):
        yield f"ALTER VIEW {item.old.db_table} OWNER TO {quote(owner)}"


def view_statements(
    connection: BaseDatabaseWrapper,
    oid: int,
    view: QualifiedName,
    table: QualifiedName,
    *,
    security_invoker: bool,
) -> Iterator[str]:
    """Yield the statements that create a view over a table, with the same privileges.

    Arguments:
        oid: of the table, which has the name ``table`` only when the view is created.
        security_invoker: whether the table's privileges and policies are those of whoever uses
            the view, instead of its owner's.
    """
    options = " WITH (security_invoker = true)" if security_invoker else ""
    yield f"CREATE VIEW {view.db_table}{options} AS SELECT * FROM {table.db_table}"  # noqa: S608 (quoted)
    for privilege, column, role, can_grant in fetch_all(connection, SELECT_GRANTS, {"oid": oid}):
        columns = f" ({quote(column)})" if column else ""
        option = " WITH GRANT OPTION" if can_grant else ""
        grantee = quote(role) if role else "PUBLIC"
        yield f"GRANT {privilege}{columns} ON {view.db_table} TO {grantee}{option}"


def drop_statements(connection: BaseDatabaseWrapper, adoption: Adoption) -> Iterator[str]:
    """Yield the statements that drop the views of an adoption."""
    yield from map(drop_statement, read_views_of_adoptions(connection, adoption.schema))
