"""Live tables, in the properties that models determine, and references to core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from ...domains import CORE_SCHEMA, QualifiedName, get_domains
from ..sessions.connection import fetch_all
from .definitions import Definition, parse_constraint, parse_foreign_key, parse_index
from .fingerprint import catalog_cursor
from .own_sequences import HOW_IT_DIFFERS, JOIN_SEQUENCE


@dataclass(frozen=True, slots=True)
class Column:
    """A column, as the database has it or as a model describes it.

    Attributes:
        default: the expression of DEFAULT, if any.
        generated: the expression of a generated column.
        identity: "", ``by default`` or ``always``; also ``by default`` for a column whose default
            is its own sequence, as older versions of Django created it.
        sequence: how the identity's sequence differs from a plain one, "" if it does not.
        virtual: whether a generated column is computed when it is read (PostgreSQL 18).
        settings: what no model determines, as clauses that begin with a verb.
    """

    name: str
    type: str
    not_null: bool
    default: str | None = None
    generated: str | None = None
    identity: str = ""
    collation: str | None = None
    comment: str = ""
    sequence: str = ""
    virtual: bool = False
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexOrConstraint:
    """An index or constraint.

    Attributes:
        name: unquoted; in an expectation, the name that a new one would get.
        not_enforced: why it is not enforced, as a clause, "" if it is.
    """

    name: str
    definition: Definition
    not_enforced: str = ""
    comment: str = ""


@dataclass(slots=True)
class Table:
    """A table with its columns, its constraints, and its indexes without a constraint.

    Attributes:
        settings: what no model determines, as clauses that begin with a verb.
        lost_identity: whether the index of the replica identity was dropped.
    """

    schema: str
    name: str
    kind: str = "table"
    unlogged: bool = False
    comment: str = ""
    settings: tuple[str, ...] = ()
    lost_identity: bool = False
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: list[IndexOrConstraint] = field(default_factory=list)
    indexes: list[IndexOrConstraint] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"


DEFAULT_CLASSES = """
SELECT DISTINCT m.amname, o.opcname
FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
WHERE o.opcdefault
"""

TABLES = """
SELECT n.nspname, c.relname,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
    c.relpersistence = 'u',
    coalesce(obj_description(c.oid, 'pg_class'), ''),
    array_remove(ARRAY[
        CASE WHEN c.relrowsecurity THEN 'has row security' END,
        CASE WHEN c.relforcerowsecurity THEN 'forces row security' END,
        'is stored with ' || array_to_string(c.reloptions, ', '),
        'is stored by ' || (SELECT m.amname FROM pg_am m
            WHERE m.oid = c.relam AND m.amname <> 'heap' AND c.relkind = 'r'),
        CASE c.relreplident WHEN 'f' THEN 'has the replica identity FULL'
            WHEN 'n' THEN 'has the replica identity NOTHING'
            ELSE 'has the replica identity ' || (SELECT i.indexrelid::regclass FROM pg_index i
                WHERE i.indrelid = c.oid AND i.indisreplident) END,
        'is clustered on ' || (SELECT i.indexrelid::regclass FROM pg_index i
            WHERE i.indrelid = c.oid AND i.indisclustered),
        CASE WHEN NOT c.relispartition THEN 'inherits from ' || (SELECT
            string_agg(h.inhparent::regclass::text, ', ' ORDER BY h.inhseqno)
            FROM pg_inherits h WHERE h.inhrelid = c.oid) END
    ], NULL),
    c.relreplident = 'i' AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relname = coalesce(%(table)s, c.relname)
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

COLUMNS = rf"""
SELECT n.nspname, c.relname, a.attname,
    format_type(a.atttypid, a.atttypmod),
    a.attnotnull,
    CASE WHEN a.attgenerated = '' AND d.deptype IS DISTINCT FROM 'a'
        THEN pg_get_expr(f.adbin, f.adrelid) END,
    CASE WHEN a.attgenerated <> '' THEN pg_get_expr(f.adbin, f.adrelid) END,
    CASE WHEN a.attidentity = 'a' THEN 'always'
        WHEN a.attidentity = 'd' OR d.deptype = 'a' THEN 'by default' ELSE '' END,
    CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
    coalesce(col_description(c.oid, a.attnum), ''),
    {HOW_IT_DIFFERS},
    a.attgenerated = 'v',
    array_remove(ARRAY[
        CASE WHEN a.attstorage <> t.typstorage THEN 'has the storage ' || CASE a.attstorage
            WHEN 'p' THEN 'plain' WHEN 'm' THEN 'main' WHEN 'e' THEN 'external'
            ELSE 'extended' END END,
        CASE a.attcompression WHEN 'p' THEN 'has the compression pglz'
            WHEN 'l' THEN 'has the compression lz4' END,
        'has the statistics target ' || nullif(a.attstattarget, -1),
        (SELECT 'is stored with ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
            FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%%')
    ], NULL)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
{JOIN_SEQUENCE}
WHERE n.nspname = ANY(%(schemas)s) AND c.relname = coalesce(%(table)s, c.relname)
    AND c.relkind IN ('r', 'p')
ORDER BY c.oid, a.attnum
"""  # noqa: S608 (made of constants only)

CONSTRAINTS = """
SELECT n.nspname, c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid),
    CASE WHEN to_jsonb(k) ->> 'conenforced' = 'false' THEN 'it is NOT ENFORCED'
        WHEN EXISTS (SELECT FROM pg_trigger g
            WHERE g.tgconstraint = k.oid AND g.tgenabled IN ('D', 'R'))
        THEN 'its triggers are disabled' ELSE '' END,
    coalesce(obj_description(k.oid, 'pg_constraint'), '')
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relname = coalesce(%(table)s, c.relname)
    AND k.contype IN ('c', 'f', 'p', 'u', 'x')
ORDER BY c.oid, k.conname
"""

INDEXES = """
SELECT n.nspname, c.relname, x.relname, pg_get_indexdef(x.oid),
    coalesce(obj_description(x.oid, 'pg_class'), '')
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relname = coalesce(%(table)s, c.relname)
    AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_constraint k
        WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.oid, x.relname
"""

Tables = dict[QualifiedName, Table]
DefaultOpclasses = frozenset[tuple[str, str]]


def read_tables(
    connection: BaseDatabaseWrapper, schemas: Sequence[str], *, table: str | None = None
) -> tuple[Tables, DefaultOpclasses]:
    """Return the tables and views by name, and every default operator class.

    Arguments:
        table: the only name to read; every table unless given.
    """
    wanted = {"schemas": list(schemas), "table": table}
    with catalog_cursor(connection) as cursor:
        classes = frozenset(_rows(cursor, DEFAULT_CLASSES, wanted))
        tables = {QualifiedName(*row[:2]): Table(*row) for row in _rows(cursor, TABLES, wanted)}
        for schema, name, *column in _rows(cursor, COLUMNS, wanted):
            if found := tables.get(QualifiedName(schema, name)):
                found.columns[column[0]] = Column(*column)
        for schema, owner, name, kind, sql, state, comment in _rows(cursor, CONSTRAINTS, wanted):
            if found := tables.get(QualifiedName(schema, owner)):
                is_key = kind == "f"
                definition = (
                    parse_foreign_key(sql, schema) if is_key else parse_constraint(sql, classes)
                )
                found.constraints.append(IndexOrConstraint(name, definition, state, comment))
        for schema, owner, name, sql, comment in _rows(cursor, INDEXES, wanted):
            if found := tables.get(QualifiedName(schema, owner)):
                found.indexes.append(
                    IndexOrConstraint(name, parse_index(sql, classes), comment=comment)
                )
    return tables, classes


def _rows(cursor: CursorWrapper, query: str, wanted: dict[str, Any]) -> list[tuple[Any, ...]]:
    cursor.execute(query, wanted)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


# A key of core that is itself a foreign key passes its type on, so the search follows core's own
# foreign keys until it reaches a domain.
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
    """A domain's column that holds a key of core, directly or through other tables of core."""

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
    """Return the columns of all domains that hold keys of core."""
    schemas = [domain.schema for domain in get_domains() if not domain.is_core]
    rows = fetch_all(connection, REACHING_KEYS, {"core": CORE_SCHEMA, "domains": schemas})
    return [
        CoreReference(
            QualifiedName(schema, table), key, column, kind, QualifiedName(core, target), *rest
        )
        for schema, table, key, column, kind, core, target, *rest in rows
    ]
