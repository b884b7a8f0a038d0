"""The foreign keys by which domains point at core, as the live catalog has them."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE_SCHEMA, QualifiedName, get_domains

# A key that is itself a foreign key, of a child's table, say, hands its type on: so the search
# goes on from core's own referencing columns until it arrives in a domain.
REACHING_KEYS = """
WITH RECURSIVE pairs AS (
    SELECT k.oid, k.conname, k.conrelid, k.confrelid, n.nspname AS schema, p.conkey, p.confkey
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS p (conkey, confkey)
    WHERE k.contype = 'f' AND k.conparentid = 0
), reach AS (
    SELECT confrelid AS key_table, confkey AS key_column, p.* FROM pairs p
    UNION
    SELECT r.key_table, r.key_column, p.*
    FROM reach r JOIN pairs p ON p.confrelid = r.conrelid AND p.confkey = r.conkey
    WHERE r.schema = %(core)s
)
SELECT r.schema, t.relname, r.conname, a.attname, format_type(a.atttypid, a.atttypmod),
    kn.nspname, kt.relname, ka.attname, format_type(ka.atttypid, ka.atttypmod)
FROM reach r
JOIN pg_catalog.pg_class t ON t.oid = r.conrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = r.conkey
JOIN pg_catalog.pg_class kt ON kt.oid = r.key_table
JOIN pg_catalog.pg_namespace kn ON kn.oid = kt.relnamespace
JOIN pg_catalog.pg_attribute ka ON ka.attrelid = r.key_table AND ka.attnum = r.key_column
WHERE r.schema = ANY(%(domains)s) AND kn.nspname = %(core)s
ORDER BY 1, 2, 3, 4
"""


class CoreReference(NamedTuple):
    """A domain's column that holds a key of core, with what points at it in between left out."""

    table: QualifiedName
    constraint: str
    column: str
    type: str
    key_table: QualifiedName
    key_column: str
    key_type: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} ({self.type})"

    @property
    def key(self) -> str:
        return f"{self.key_table}.{self.key_column}"


def read_core_references(connection: BaseDatabaseWrapper) -> list[CoreReference]:
    """Return each domain column that refers to a column of core, directly or through core."""
    schemas = [domain.schema for domain in get_domains() if not domain.is_core]
    with connection.cursor() as cursor:
        cursor.execute(REACHING_KEYS, {"core": CORE_SCHEMA, "domains": schemas})
        return [
            CoreReference(
                QualifiedName(schema, table),
                constraint,
                column,
                kind,
                QualifiedName(key_schema, key_table),
                key_column,
                key_type,
            )
            for (
                schema,
                table,
                constraint,
                column,
                kind,
                key_schema,
                key_table,
                key_column,
                key_type,
            ) in cursor.fetchall()
        ]
