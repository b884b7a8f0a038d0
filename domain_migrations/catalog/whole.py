"""The fingerprint of a whole database: of every schema, without the engine's own tables."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import get_domains
from .fingerprint import compare, fingerprint
from .reading import catalog_cursor

SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
"""

Catalog = dict[str, str]
"""Schema → fingerprint, of every schema of a database."""


def read_catalog(connection: BaseDatabaseWrapper) -> Catalog:
    """Return what the catalogs say of each schema; an undo keeps the engine's own tables."""
    with catalog_cursor(connection) as cursor:
        cursor.execute(SCHEMAS)
        schemas = [name for (name,) in cursor.fetchall()]
    own = {domain.schema: [table.name for table in domain.own_tables] for domain in get_domains()}
    return {
        schema: fingerprint(connection, schema, exclude=own.get(schema, ())) for schema in schemas
    }


def differences(before: Catalog, after: Catalog) -> list[str]:
    """Return what differs, a clause for each object; [] if nothing does."""
    return [
        difference
        for schema in sorted(before.keys() | after.keys())
        for difference in compare(before.get(schema, ""), after.get(schema, ""))
    ]
