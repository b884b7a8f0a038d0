"""The tables that exist, and why some of the engine's own cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName, get_domains
from ...exceptions import DomainMigrationsError
from ..sessions.connection import fetch_all
from .shapes import check_shape, kinds_of

EXISTING = """
SELECT n.nspname, c.relname,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       obj_description(c.oid, 'pg_class'), w.kind, c.relkind::text,
       CASE WHEN w.kind IS NOT NULL THEN (
           SELECT json_object_agg(a.attname, format_type(a.atttypid, NULL))::text
           FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       ) END,
       w.kind IS NOT NULL AND c.relrowsecurity AND row_security_active(c.oid) AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_policy p
           WHERE p.polrelid = c.oid AND pg_get_expr(p.polqual, c.oid) = 'true')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS w(schema, name, kind)
    ON n.nspname = w.schema AND c.relname = w.name
WHERE c.relkind IN ('r', 'p') OR w.kind IS NOT NULL
"""


def existing_tables(
    connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]
) -> dict[QualifiedName, bool]:
    """Return those of the tables that exist → whether the role may read them.

    The query itself needs no privilege.

    Raises:
        NewerTables: a newer version has made one of them, or has upgraded it.
        ChangedTable: one of the engine's own is not what the engine has made.
    """
    found, unusable = _look_for(connection, tables)
    for error in unusable.values():
        raise error
    return found


def unusable_domains(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, DomainMigrationsError]:
    """Return domain name → why its tables cannot be used, for the domains of which they cannot."""
    tables = [table for domain in domains for table in domain.engine_tables]
    _, unusable = _look_for(connection, tables)
    return {
        domain.name: unusable[table]
        for domain in domains
        for table in reversed(domain.engine_tables)
        if table in unusable
    }


def _look_for(
    connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]
) -> tuple[dict[QualifiedName, bool], dict[QualifiedName, DomainMigrationsError]]:
    """Return those of the tables that exist, and why some cannot be used; see the above."""
    wanted = list(tables)
    if not wanted:
        return {}, {}
    kinds = kinds_of(wanted, get_domains())
    params = [[table.schema for table in wanted], [table.name for table in wanted], kinds]
    found: dict[QualifiedName, bool] = {}
    unusable: dict[QualifiedName, DomainMigrationsError] = {}
    for schema, name, readable, comment, kind, *shape, hidden in fetch_all(
        connection, EXISTING, params
    ):
        table = QualifiedName(schema, name)
        found[table] = readable
        try:
            if comment is not None:
                from .layouts import check_layout  # Tables of the first layout have no comment.

                check_layout(table, comment)
            if kind is not None:
                check_shape(table, kind, *shape, hidden=hidden)
        except DomainMigrationsError as exc:
            unusable[table] = exc
    return found, unusable
