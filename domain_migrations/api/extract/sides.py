"""The two databases of an extraction, and the tables that move from one to the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ...domains import Domain, QualifiedName
from ...engine.history.extractions import database_id
from ...engine.sessions.connection import fetch_all

TABLES = """
SELECT c.relname, c.relkind::text, pg_catalog.pg_table_size(c.oid),
    greatest(c.reltuples::bigint, pg_catalog.pg_stat_get_live_tuples(c.oid), 0)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
ORDER BY c.relname
"""
HASH_LENGTH = 8


class Table(NamedTuple):
    """One table of the domain; a partitioned one has no rows of its own.

    Attributes:
        rows: an estimate.
    """

    name: QualifiedName
    is_partitioned: bool
    size: int
    rows: int

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(*self.name)


class Sides(NamedTuple):
    """A domain and its two databases.

    Attributes:
        source: the alias of the database that the domain leaves.
        target: the alias of the database that it moves to.
    """

    domain: Domain
    source: str
    target: str

    @property
    def schema(self) -> str:
        return self.domain.schema

    @property
    def from_connection(self) -> BaseDatabaseWrapper:
        return connections[self.source]

    @property
    def to_connection(self) -> BaseDatabaseWrapper:
        return connections[self.target]


def read_tables(connection: BaseDatabaseWrapper, schema: str) -> list[Table]:
    """Return the tables of a schema, partitions included."""
    return [
        Table(QualifiedName(schema, name), kind == "p", size, rows)
        for name, kind, size, rows in fetch_all(connection, TABLES, [schema])
    ]


def stored(tables: Sequence[Table]) -> list[Table]:
    """Return the tables that store rows."""
    return [table for table in tables if not table.is_partitioned]


def server_version(connection: BaseDatabaseWrapper) -> int:
    """Return the server's major version."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10000


def object_name(sides: Sides) -> str:
    """Return the name of the extraction's publication, subscription and slot.

    Slots belong to the server, and those of the way back to the target's, where domains of the
    same name arrive from other servers: so both databases are part of the name.
    """
    databases = map(database_id, (sides.from_connection, sides.to_connection))
    digest = hashlib.sha256("/".join((*databases, sides.schema)).encode()).hexdigest()
    return f"{_prefix(sides.domain)}{digest[:HASH_LENGTH]}"


def slot_pattern(domain: Domain) -> str:
    """Return the regular expression of the names of the domain's slots, in both directions."""
    return f"^{_prefix(domain)}[0-9a-f]{{{HASH_LENGTH}}}(_back|_core)?$"


def _prefix(domain: Domain) -> str:
    """Return the beginning of the names; slots take lower-case letters, digits and underscores."""
    word = "".join(char if char.isascii() and char.isalnum() else "_" for char in domain.name)
    return f"extract_{word.lower()}_"


def conninfo(connection: BaseDatabaseWrapper) -> str:
    """Return the connection string of an alias, as another server would use it."""
    known = {each.keyword.decode() for each in psycopg.pq.Conninfo.get_defaults()}
    unwanted = {"application_name", "client_encoding", "options"}
    values = {
        key: value
        for key, value in connection.get_connection_params().items()
        if key in known - unwanted and value not in (None, "")
    }
    return make_conninfo(**values)
