"""The contents that a distribution must not change: catalog, sequences and rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.catalog.expressions import unquote_identifiers
from ...engine.catalog.fingerprint import (
    SETTINGS,
    DatabaseFingerprint,
    fingerprint_differences,
    read_objects,
    to_text,
)
from ...engine.cluster.transaction_settings import set_on_all_nodes
from ...engine.sessions.connection import fetch_all, fetch_one
from ..extract.row_checksums import Checksum, hashed_columns

# A partition has its rows, its parent has none.
TABLES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'r'
ORDER BY 1, 2
"""

SEQUENCES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s)
ORDER BY 1, 2
"""
# Shards on the coordinator, which Citus hides from most queries, but not their row types.
SHARDS = """
SELECT format('%%I.%%I', n.nspname, s.names[cardinality(s.names)])
FROM pg_catalog.pg_dist_shard h
JOIN pg_catalog.pg_class c ON c.oid = h.logicalrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
    parse_ident(pg_catalog.shard_name(h.logicalrelid, h.shardid)) AS s (names)
"""
SEQUENCE_VALUE = "SELECT {schema}, {name}, last_value, is_called FROM {sequence}"

SUM = "SELECT count(*), coalesce(sum(hash_record_extended(ROW({}), 0)), 0)::text FROM {} AS t"

# Those that the text of values depends on; a search path would not reach what views name.
TEXT_SETTINGS = {name: value for name, value in SETTINGS.items() if name != "search_path"}


@dataclass(frozen=True)
class Contents:
    """The contents of some schemas.

    Attributes:
        catalog: schema → its fingerprint, with owners and privileges.
        sequences: its last value, and whether it was called.
        rows: the number and the checksum of each table's rows.
    """

    catalog: DatabaseFingerprint
    sequences: Mapping[QualifiedName, tuple[int, bool]]
    rows: Mapping[QualifiedName, Checksum]


def read_contents(
    connection: BaseDatabaseWrapper, schemas: Sequence[str], tables: Collection[QualifiedName]
) -> Contents:
    """Return the contents of schemas, in the open transaction.

    Arguments:
        tables: those whose rows are read.
    """
    set_on_all_nodes(connection, TEXT_SETTINGS)
    shards = {unquote_identifiers(name) for (name,) in fetch_all(connection, SHARDS, [])}
    catalog = {schema: _read_catalog(connection, schema, shards) for schema in schemas}
    columns = dict(
        chain.from_iterable(hashed_columns(connection, schema).items() for schema in schemas)
    )
    # One by one: no query reads tables that are on different nodes.
    rows = {
        table: Checksum(*fetch_one(connection, row_sum(columns.get(table, []), table)))
        for table in sorted(tables)
    }
    return Contents(catalog, _read_sequences(connection, schemas), rows)


def row_sum(columns: Sequence[sql.Composable], table: QualifiedName) -> sql.Composed:
    """Return the query of the checksum of a table's rows."""
    return sql.SQL(SUM).format(sql.SQL(", ").join(columns), sql.Identifier(*table))


def read_table_names(
    connection: BaseDatabaseWrapper, schemas: Sequence[str]
) -> tuple[QualifiedName, ...]:
    """Return the tables of schemas that have rows."""
    return tuple(QualifiedName(*row) for row in fetch_all(connection, TABLES, [list(schemas)]))


def differences(before: Contents, after: Contents) -> list[str]:
    """Return a sentence for each thing that differs; none if nothing does."""
    found = fingerprint_differences(before.catalog, after.catalog)
    for name, value in before.sequences.items():
        if after.sequences.get(name) != value:
            found.append(f"sequence {name} differs: {value} / {after.sequences.get(name)}")
    for table, checksum in before.rows.items():
        other = after.rows[table]
        if other.rows != checksum.rows:
            found.append(f"table {table} differs: {checksum.rows} rows / {other.rows} rows")
        elif other != checksum:
            found.append(f"table {table} differs: other values in its {checksum.rows} rows")
    return found


def _read_catalog(connection: BaseDatabaseWrapper, schema: str, shards: Collection[str]) -> str:
    objects = read_objects(connection, schema, include_privileges=True, include_names=True)
    return to_text(each for each in objects if each.name not in shards)


def _read_sequences(
    connection: BaseDatabaseWrapper, schemas: Sequence[str]
) -> dict[QualifiedName, tuple[int, bool]]:
    names = [QualifiedName(*row) for row in fetch_all(connection, SEQUENCES, [list(schemas)])]
    if not names:
        return {}
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL(SEQUENCE_VALUE).format(
            schema=name.schema, name=name.name, sequence=sql.Identifier(*name)
        )
        for name in names
    )
    rows = fetch_all(connection, query)
    return {QualifiedName(schema, name): (value, called) for schema, name, value, called in rows}
