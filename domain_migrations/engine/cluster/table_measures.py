"""The rows and sizes of the tables of schemas, whether their rows are here or in shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import QualifiedName
from ..sessions.connection import fetch_all
from ..sql import measures

MEASURED = f"""
WITH {measures.LOCKED}
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'citus'),
    n.nspname, c.relname, {measures.ROWS}, {measures.BYTES}
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname = ANY(%s)
ORDER BY n.nspname, c.relname
"""  # noqa: S608 (made of constants only)


class Measure(NamedTuple):
    """The estimated rows of a table and its size in bytes, each None if it is not known."""

    rows: int | None
    size: int | None


class TableMeasures(NamedTuple):
    """The tables and materialized views of some schemas, by schema and name.

    Attributes:
        has_citus: whether some of them may be in shards.
    """

    tables: Mapping[QualifiedName, Measure]
    has_citus: bool

    def size_of(self, schema: str) -> int | None:
        """Return the size of a schema in bytes; None if that of a table is not known."""
        sizes = [measure.size for table, measure in self.tables.items() if table.schema == schema]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def measure_tables(connection: BaseDatabaseWrapper, schemas: Sequence[str]) -> TableMeasures:
    """Return the tables of the schemas, in one query where Citus is not installed."""
    rows = fetch_all(connection, MEASURED, [list(schemas)])
    tables = {
        QualifiedName(schema, name): Measure(None if count < 0 else int(count), size)
        for _, schema, name, count, size in rows
    }
    has_citus = any(row[0] for row in rows)
    if has_citus:
        from .shards import measure_shards, read_placements

        tables |= measure_shards(connection, read_placements(connection, schemas))
    return TableMeasures(tables, has_citus)
