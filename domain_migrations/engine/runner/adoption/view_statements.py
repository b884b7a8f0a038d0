"""The statements that create and drop the views under the old names of adopted tables."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ....backends.postgresql.names import quote
from ....domains import CORE_SCHEMA, QualifiedName
from ...catalog.compat_views import COMMENT, read_compat_views
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
    view, table = (_written(name) for name in (item.old, item.new))
    yield f"CREATE VIEW {view} WITH (security_invoker = true) AS SELECT * FROM {table}"  # noqa: S608 (quoted)
    comment = COMMENT.format(schema=item.new.schema, name=item.new.name, until=until)
    yield f"COMMENT ON VIEW {view} IS {sql.Literal(comment).as_string(None)}"
    for privilege, column, role, can_grant in fetch_all(
        connection, SELECT_GRANTS, {"oid": item.oid}
    ):
        columns = f" ({quote(column)})" if column else ""
        option = " WITH GRANT OPTION" if can_grant else ""
        grantee = quote(role) if role else "PUBLIC"
        yield f"GRANT {privilege}{columns} ON {view} TO {grantee}{option}"
    for (owner,) in fetch_all(connection, SELECT_OWNER, [item.oid]):
        yield f"ALTER VIEW {view} OWNER TO {quote(owner)}"


def drop_statements(connection: BaseDatabaseWrapper, adoption: Adoption) -> Iterator[str]:
    """Yield the statements that drop the views of an adoption."""
    for view in read_compat_views(connection, adoption.schema):
        yield f"DROP VIEW {_written(QualifiedName(CORE_SCHEMA, view.name))}"


def _written(name: QualifiedName) -> str:
    return f"{quote(name.schema)}.{quote(name.name)}"
