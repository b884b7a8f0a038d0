"""The tables of a schema as they are, in the parts that models decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from .definitions import Definition, parse_constraint, parse_foreign_key, parse_index
from .fingerprint import catalog_cursor


@dataclass(frozen=True, slots=True)
class Column:
    """A column, as the database has it or as a model wants it.

    Attributes:
        default: the expression of DEFAULT, None for none.
        generated: the expression of a generated column, None for an ordinary one.
        identity: "", ``by default`` or ``always``; ``by default`` too for a column with a
            sequence of its own as default, which is what older versions of Django made.
        sequence: how the identity's sequence differs from a plain one, "" if it does not.
        virtual: whether a generated column is computed when it is read, as from 18 on it can be.
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


@dataclass(frozen=True, slots=True)
class IndexOrConstraint:
    """An index or constraint.

    Attributes:
        name: its name, unquoted; in an expectation, the name it has when made afresh.
        enforced: whether a foreign key's triggers fire.
    """

    name: str
    definition: Definition
    enforced: bool = True
    comment: str = ""


@dataclass(slots=True)
class Table:
    """A table with its columns, constraints and the indexes that back no constraint."""

    schema: str
    name: str
    kind: str = "table"
    unlogged: bool = False
    comment: str = ""
    row_security: bool = False
    options: str = ""
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
    c.relrowsecurity OR c.relforcerowsecurity,
    coalesce(array_to_string(c.reloptions, ', '), '')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relname = coalesce(%(table)s, c.relname)
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

COLUMNS = """
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
    concat_ws(', ',
        CASE WHEN s.seqtypid <> a.atttypid THEN 'is of type ' || s.seqtypid::regtype END,
        CASE WHEN s.seqincrement <> 1 THEN 'counts by ' || s.seqincrement END,
        CASE WHEN s.seqmin <> 1 THEN 'begins at ' || s.seqmin END,
        CASE WHEN s.seqmax <> CASE s.seqtypid WHEN 'smallint'::regtype THEN 32767
            WHEN 'integer'::regtype THEN 2147483647 ELSE 9223372036854775807 END
            THEN 'ends at ' || s.seqmax END,
        CASE WHEN s.seqcycle THEN 'starts again at its end' END),
    a.attgenerated = 'v'
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
LEFT JOIN pg_depend d ON d.refclassid = c.tableoid AND d.refobjid = c.oid
    AND d.refobjsubid = a.attnum AND d.classid = c.tableoid AND d.deptype IN ('a', 'i')
    AND EXISTS (SELECT FROM pg_sequence q WHERE q.seqrelid = d.objid)
    AND (d.deptype = 'i' OR EXISTS (
        SELECT FROM pg_depend u WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid
            AND u.refclassid = c.tableoid AND u.refobjid = d.objid))
LEFT JOIN pg_sequence s ON s.seqrelid = d.objid
WHERE n.nspname = ANY(%(schemas)s) AND c.relname = coalesce(%(table)s, c.relname)
    AND c.relkind IN ('r', 'p')
ORDER BY c.oid, a.attnum
"""

CONSTRAINTS = """
SELECT n.nspname, c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid),
    NOT EXISTS (SELECT FROM pg_trigger g
        WHERE k.contype = 'f' AND g.tgconstraint = k.oid AND g.tgenabled IN ('D', 'R')),
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

Tables = dict[tuple[str, str], Table]
DefaultOpclasses = frozenset[tuple[str, str]]
Params = dict[str, list[str] | str | None]


def read_tables(
    connection: BaseDatabaseWrapper, schemas: Sequence[str], *, table: str | None = None
) -> tuple[Tables, DefaultOpclasses]:
    """Return (schema, name) → table, views included, and every default operator class.

    Arguments:
        table: the one name to look for; every table unless given.
    """
    wanted: Params = {"schemas": list(schemas), "table": table}
    with catalog_cursor(connection) as cursor:
        classes = frozenset(
            (method, name) for method, name in _rows(cursor, DEFAULT_CLASSES, wanted)
        )
        tables = {(row[0], row[1]): Table(*row) for row in _rows(cursor, TABLES, wanted)}
        for schema, name, *column in _rows(cursor, COLUMNS, wanted):
            if found := tables.get((schema, name)):
                found.columns[column[0]] = Column(*column)
        for schema, owner, name, kind, sql, enforced, comment in _rows(cursor, CONSTRAINTS, wanted):
            if found := tables.get((schema, owner)):
                definition = (
                    parse_foreign_key(sql, schema)
                    if kind == "f"
                    else parse_constraint(sql, classes)
                )
                found.constraints.append(IndexOrConstraint(name, definition, enforced, comment))
        for schema, owner, name, sql, comment in _rows(cursor, INDEXES, wanted):
            if found := tables.get((schema, owner)):
                found.indexes.append(
                    IndexOrConstraint(name, parse_index(sql, classes), comment=comment)
                )
    return tables, classes


def _rows(cursor: CursorWrapper, query: str, wanted: Params) -> list[tuple[Any, ...]]:
    cursor.execute(query, wanted)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
