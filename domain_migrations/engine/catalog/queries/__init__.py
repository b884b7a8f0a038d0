"""Queries of ``pg_catalog``, one module for each family of objects.

Each query takes the parameter ``schema`` and returns rows of

1. the kind,
2. the qualified name,
3. the relation the object belongs to, or NULL,
4. the lines of its definition,

unsorted, because the reader sorts by code point. They are written for a session whose search
path is empty, so ``::regclass``, ``pg_get_…def`` and ``format_type`` qualify every name, and they
work on PostgreSQL 15 to 18: a column that only some of those versions have is read through
``to_jsonb``. Members of an extension are left out, because the extension creates them.
"""

from __future__ import annotations

from .privileges import PRIVILEGES
from .relations import RELATION_QUERIES, TABLE_QUERIES
from .routines import ROUTINE_QUERIES
from .types import TYPE_QUERIES

SECTIONS: tuple[str, ...] = tuple(
    "UNION ALL".join(queries)
    for queries in (RELATION_QUERIES, TABLE_QUERIES, ROUTINE_QUERIES, TYPE_QUERIES)
)
"""One statement for each family, because a round trip may cost more than the query."""

__all__ = ["PRIVILEGES", "SECTIONS"]
