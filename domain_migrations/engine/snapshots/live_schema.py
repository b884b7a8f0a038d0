"""A domain's schema in a database, read for a snapshot or restored from one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ..catalog.fingerprint import CatalogObject, read_objects, to_text
from ..sessions.connection import execute, fetch_all, fetch_one
from ..sql.lexer import split_statements
from .identities import with_inline_identities
from .not_null import OF_18, for_older_server
from .snapshot_file import FINGERPRINT_VERSION, join_statements

TABLES = """
SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND c.relname <> ALL (%s)
ORDER BY 1, 2
"""

REFERENCES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), n.nspname, c.relname,
    a.attname, quote_ident(fn.nspname) || '.' || quote_ident(fc.relname),
    fn.nspname || '.' || fc.relname || '.' || fa.attname, format_type(fa.atttypid, fa.atttypmod)
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class fc ON fc.oid = o.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
CROSS JOIN LATERAL unnest(o.conkey, o.confkey) AS pair (column_number, key_number)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.column_number
JOIN pg_catalog.pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = pair.key_number
WHERE o.contype = 'f' AND n.nspname = %s AND fc.relnamespace <> n.oid
ORDER BY 1, 4
"""
"""The columns of foreign keys to other schemas, and the columns that they reference."""

SEQUENCES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), s.seqstart
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
"""


def tables_with_rows(connection: BaseDatabaseWrapper, domain: Domain) -> list[str]:
    """Return the quoted names of the domain's tables that are not empty."""
    own = [table.name for table in domain.engine_tables]
    parts = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
            sql.Literal(quoted), sql.Identifier(schema, name)
        )
        for schema, name, quoted in fetch_all(connection, TABLES, [domain.schema, own])
    ]
    rows = fetch_all(connection, sql.SQL(" UNION ALL ").join(parts)) if parts else []
    return [quoted for (quoted,) in rows]


def references_to_core(
    connection: BaseDatabaseWrapper, domain: Domain
) -> Iterator[tuple[str, str, str]]:
    """Yield (quoted table, column, table of core) of the foreign keys that some row uses."""
    statement = sql.SQL("SELECT FROM {} WHERE {} IS NOT NULL LIMIT 1")
    references = fetch_all(connection, REFERENCES, [domain.schema])
    for quoted, schema, table, column, target, *_ in references:
        names = sql.Identifier(schema, table), sql.Identifier(column)
        if fetch_one(connection, statement.format(*names)) is not None:
            yield quoted, column, target


def sequence_starts(connection: BaseDatabaseWrapper, domain: Domain) -> dict[str, int]:
    """Return quoted name → first value, of the domain's sequences."""
    return dict(fetch_all(connection, SEQUENCES, [domain.schema]))


SETTINGS = """
SELECT set_config('check_function_bodies', 'off', true),
       set_config('standard_conforming_strings', 'on', true)
"""
"""Settings of dumps: a function may name a later object, and a backslash is not an escape."""

BATCH_CHARACTERS = 1_000_000

TYPES = """
SELECT n.nspname || '.' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p')
    AND n.nspname || '.' || c.relname || '.' || a.attname = ANY (%s)
"""


def has_not_null_names(connection: BaseDatabaseWrapper) -> bool:
    """Return whether NOT NULL is a constraint with a name on the server, as it is since 18."""
    connection.ensure_connection()
    return bool(connection.connection.info.server_version >= 180000)


def restore(connection: BaseDatabaseWrapper, body: str, *, distributed: bool = False) -> None:
    """Execute a snapshot's statements in the open transaction, many in each round trip.

    Arguments:
        distributed: whether the schema is a distributed one, for which Citus takes a statement at a
            time, and identities in the statements that create tables.
    """
    if not has_not_null_names(connection) and OF_18.search(body):
        body = join_statements(for_older_server(split_statements(body)))
    texts = with_inline_identities(split_statements(body)) if distributed else batches(body)
    for text in (SETTINGS, *texts):
        execute(connection, text)


def batches(body: str) -> Iterator[str]:
    """Yield texts of whole statements, each of at most about ``BATCH_CHARACTERS``.

    PostgreSQL parses a whole message before it executes the first statement in it.
    """
    if len(body) <= BATCH_CHARACTERS:
        yield body
        return
    waiting: list[str] = []
    length = 0
    for statement in split_statements(body):
        if waiting and length + len(statement) > BATCH_CHARACTERS:
            yield join_statements(waiting)
            waiting, length = [], 0
        waiting.append(statement)
        length += len(statement)
    yield join_statements(waiting)


def schema_objects(
    connection: BaseDatabaseWrapper, domain: Domain, *, prepared: bool = False
) -> tuple[CatalogObject, ...]:
    """Return the objects in the domain's schema without the engine's own tables.

    Arguments:
        prepared: as for :func:`read_objects`.
    """
    own = [table.name for table in domain.engine_tables]
    found = read_objects(connection, domain.schema, exclude=own, prepared=prepared)
    return tuple(item for item in found if item.kind != "schema")


def schema_digest(objects: Iterable[CatalogObject]) -> str:
    """Return the digest of the fingerprint of a schema's objects."""
    return f"{FINGERPRINT_VERSION}:{hashlib.sha256(to_text(objects).encode()).hexdigest()}"


def core_columns(connection: BaseDatabaseWrapper, domain: Domain) -> dict[str, str]:
    """Return column → type of what the domain's foreign keys reference outside of it."""
    return dict(row[-2:] for row in fetch_all(connection, REFERENCES, [domain.schema]))


def column_types(connection: BaseDatabaseWrapper, columns: Iterable[str]) -> dict[str, str]:
    """Return column → type, for those of the columns that exist."""
    return dict(fetch_all(connection, TYPES, [list(columns)]))
