"""Queries of ``pg_catalog``, one module for each family of objects.

Each query takes the parameter ``schema`` and returns rows of

1. the kind,
2. the qualified name,
3. the relation the object belongs to, or NULL,
4. the lines of its definition, NULL for each that it does not have,

unsorted, because the reader sorts by code point. They are written for a session whose search
path is empty, so ``::regclass``, ``pg_get_…def`` and ``format_type`` qualify every name, and they
work on PostgreSQL 15 to 18: a column that only some of those versions have is read through
``to_jsonb``. Members of an extension are left out, because the extension creates them.
"""

from __future__ import annotations

from .database import DATABASE_QUERIES
from .names import NAME_QUERIES
from .privileges import OWNERS_AND_GRANTS
from .relations import RELATION_QUERIES, TABLE_QUERIES
from .routines import ROUTINE_QUERIES
from .types import TYPE_QUERIES

# What the queries select from.
OWN = """
WITH namespace AS NOT MATERIALIZED (
    SELECT oid FROM pg_namespace WHERE nspname = %(schema)s
), member AS NOT MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relation AS NOT MATERIALIZED (
    SELECT c.tableoid, c.*, c.relnamespace::regnamespace || '.' || quote_ident(c.relname) AS name
    FROM pg_class c WHERE c.relnamespace IN (TABLE namespace)
        AND NOT EXISTS (SELECT FROM member WHERE classid = c.tableoid AND objid = c.oid)
), routine AS NOT MATERIALIZED (
    SELECT p.* FROM pg_proc p WHERE p.pronamespace IN (TABLE namespace)
        -- 'i': the constructors of a range type belong to the type.
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
), type AS NOT MATERIALIZED (
    SELECT t.* FROM pg_type t WHERE t.typnamespace IN (TABLE namespace)
        AND NOT EXISTS (SELECT FROM member WHERE classid = t.tableoid AND objid = t.oid)
)
"""
ROWS = "SELECT kind, name, relation, array_remove(lines, NULL)"


def _statement(*queries: str) -> str:
    objects = " UNION ALL ".join(queries)
    return f"{OWN} {ROWS} FROM ({objects}) AS object (kind, name, relation, lines)"


PRIVILEGES = _statement(OWNERS_AND_GRANTS)
NAMES = _statement(*NAME_QUERIES)
DATABASE = _statement(*DATABASE_QUERIES)
"""For this one the schema does not matter."""
SECTIONS = tuple(
    _statement(*queries)
    for queries in (RELATION_QUERIES, TABLE_QUERIES, ROUTINE_QUERIES, TYPE_QUERIES)
)
"""One statement for each family, because a round trip may cost more than the query."""

__all__ = ["DATABASE", "NAMES", "PRIVILEGES", "SECTIONS"]
