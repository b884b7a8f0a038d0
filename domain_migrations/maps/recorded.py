"""What a database has: foreign keys to core that no model declares, and crossings."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ..boundary.asking import query
from ..boundary.catalog import crossings
from ..domains import Domain
from .declared import Crossing
from .values import FOREIGN_KEY, VIOLATION, Link

# Only what no domain owns counts as core's: the rest are crossings, found by the other look.
SELECT_KEYS = """
SELECT own.nspname, c.relname, f.nspname, fc.relname,
    (SELECT array_agg(a.attname ORDER BY x.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS x (number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.number),
    (SELECT array_agg(a.attname ORDER BY x.place)
        FROM unnest(k.confkey) WITH ORDINALITY AS x (number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.number)
FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace own ON own.oid = c.relnamespace
    JOIN pg_class fc ON fc.oid = k.confrelid JOIN pg_namespace f ON f.oid = fc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
    AND own.nspname = ANY(%(schemas)s) AND f.nspname <> ALL(%(schemas)s)
ORDER BY 1, 2, 5
"""


def recorded_crossings(
    connection: BaseDatabaseWrapper, domains: tuple[Domain, ...]
) -> Iterator[Crossing]:
    """Yield what leads from one domain to another in a database; two or three queries."""
    core, schemas = domains[0], {domain.schema: domain.name for domain in domains[1:]}
    [rows] = query(connection, SELECT_KEYS, {"schemas": list(schemas)})
    for schema, table, used_schema, used_table, columns, used_columns in rows:
        link = Link(
            f"{schema}.{table}.{', '.join(columns)}",
            f"{used_schema}.{used_table}.{', '.join(used_columns)}",
        )
        yield Crossing(schemas[schema], core.name, FOREIGN_KEY, link)
    for finding, used in crossings(connection):
        link = Link(finding.object, "", finding.id, finding.message, finding.hint)
        yield Crossing(finding.domain, used.name if used else None, VIOLATION, link)
