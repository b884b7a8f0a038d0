"""The rows that a domain's migrations leave in its tables, and the sequences behind them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..domains import Domain

TABLES = """
SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND c.relname <> ALL (%s)
ORDER BY 1, 2
"""

REFERENCES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), n.nspname, c.relname,
    a.attname, quote_ident(fn.nspname) || '.' || quote_ident(fc.relname)
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class fc ON fc.oid = o.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (o.conkey)
WHERE o.contype = 'f' AND n.nspname = %s AND fc.relnamespace <> n.oid
ORDER BY 1, 4
"""

SEQUENCES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), s.seqstart
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
"""


def tables_with_rows(connection: BaseDatabaseWrapper, domain: Domain) -> list[str]:
    """Return the quoted names of the domain's tables that are not empty."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [domain.schema, [table.name for table in domain.own_tables]])
        parts = [
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
                sql.Literal(quoted), sql.Identifier(schema, name)
            )
            for schema, name, quoted in cursor.fetchall()
        ]
        if not parts:
            return []
        cursor.execute(sql.SQL(" UNION ALL ").join(parts), None)
        return [quoted for (quoted,) in cursor.fetchall()]


def references_to_core(
    connection: BaseDatabaseWrapper, domain: Domain
) -> Iterator[tuple[str, str, str]]:
    """Yield (quoted table, column, table of core) of the foreign keys that rows make use of."""
    with connection.cursor() as cursor:
        cursor.execute(REFERENCES, [domain.schema])
        for quoted, schema, table, column, target in cursor.fetchall():
            statement = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} IS NOT NULL)")
            cursor.execute(
                statement.format(sql.Identifier(schema, table), sql.Identifier(column)), None
            )
            if cursor.fetchone()[0]:
                yield quoted, column, target


def sequence_starts(connection: BaseDatabaseWrapper, domain: Domain) -> dict[str, int]:
    """Return quoted name → first value, of the domain's sequences."""
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES, [domain.schema])
        return dict(cursor.fetchall())
