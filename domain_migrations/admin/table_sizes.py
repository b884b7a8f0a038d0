"""The tables of a schema, their foreign keys and their sizes, read without waiting for locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from ..engine.history.status import count_tables
from ..engine.sessions.connection import fetch_all
from ..engine.sql import measures

MEASURED = f"""
WITH {measures.LOCKED}
SELECT n.nspname, c.relname, {measures.ROWS}, {measures.BYTES}
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname = ANY(%s)
ORDER BY n.nspname, c.relname
"""  # noqa: S608 (made of constants only)

RELATIONS = """
SELECT c.relname, r.relname, rn.nspname
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = %s
GROUP BY c.relname, r.relname, rn.nspname
ORDER BY c.relname, min(k.conname)
"""


class Relation(NamedTuple):
    """The table that one or more foreign keys of a table refer to."""

    to: str
    to_schema: str


class Size(NamedTuple):
    """The size of a domain's schema; the engine's own tables count in bytes only."""

    tables: int
    size: int


class Table(NamedTuple):
    """One table: its estimated rows, None without an estimate, and its size in bytes."""

    schema: str
    name: str
    rows: int | None
    size: int
    relations: tuple[Relation, ...] = ()


def read_tables(connection: BaseDatabaseWrapper, schemas: Sequence[str]) -> list[Table]:
    """Return the tables and materialized views of the schemas."""
    return [
        Table(schema, name, None if rows < 0 else int(rows), size)
        for schema, name, rows, size in fetch_all(connection, MEASURED, [list(schemas)])
    ]


def read_relations(connection: BaseDatabaseWrapper, schema: str) -> dict[str, tuple[Relation, ...]]:
    """Return table → what its foreign keys refer to, also in other schemas."""
    relations: dict[str, tuple[Relation, ...]] = {}
    for table, *target in fetch_all(connection, RELATIONS, [schema]):
        relations[table] = (*relations.get(table, ()), Relation(*target))
    return relations


def read_sizes(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> dict[str, Size]:
    """Return domain name → the number of tables in its schema and their size in bytes."""
    counts = count_tables(connection, domains)
    sizes: dict[str, int] = {}
    for table in read_tables(connection, [domain.schema for domain in domains]):
        sizes[table.schema] = sizes.get(table.schema, 0) + table.size
    return {
        domain.name: Size(counts[domain.name], sizes.get(domain.schema, 0)) for domain in domains
    }
