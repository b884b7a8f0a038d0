"""Notes about roles, owners and publications, which a migration does not create."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.catalog.fingerprint import catalog_cursor
from .schema_grants import Privilege

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


def _rows(
    connection: BaseDatabaseWrapper, query: str, schema: str, exclude: Collection[str]
) -> list[tuple[Any, ...]]:
    with catalog_cursor(connection) as cursor:
        cursor.execute(query, {"schema": schema, "exclude": list(exclude)})
        return list(cursor.fetchall())
