"""Introspection of tables by schema and name.

Django finds a table by its name and its visibility in the search path. Its queries are used
unchanged in every version, except for that condition: see :class:`CatalogCursor`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import NotSupportedError
from django.db.backends.postgresql.introspection import TableInfo

from .names import format_table_name, parse_table_name, truncate

if TYPE_CHECKING:
    from django.db.backends.postgresql.introspection import DatabaseIntrospection as Introspection
    from django.db.backends.utils import CursorWrapper
else:
    Introspection = object

BY_OID = {
    r"\.relname = %s": ".oid = %s",
    r"pg_catalog\.pg_table_is_visible\(\w+\.oid\)": "TRUE",
}
"""Rewrites Django's lookup of a table by name into one by oid."""

CONSTRAINT_TARGET_BY_OID = {r"fkc\.relname \|\| '\.'": "fkc.oid || '.'"}
"""Makes ``get_constraints`` return the referenced table of a foreign key as its oid."""

RELATIONS_BY_OID = {
    r"c2\.relname,": "c2.oid,",
    r"c1\.relnamespace = c2\.relnamespace AND": "",
}
"""The same for ``get_relations``, which also excludes tables in other schemas."""

COLLATION_BY_OID = {r"ELSE collname END AS": "ELSE co.oid::text END AS"}
"""Makes ``get_table_description`` return a column's collation as its oid."""

LIST_TABLES = """
    SELECT
        n.nspname,
        c.relname,
        CASE
            WHEN c.relispartition THEN 'p'
            WHEN c.relkind IN ('m', 'v') THEN 'v'
            ELSE 't'
        END,
        pg_catalog.obj_description(c.oid, 'pg_class')
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
        AND (n.nspname !~ '^pg_' OR n.oid = pg_catalog.pg_my_temp_schema())
        AND n.nspname <> 'information_schema'
    ORDER BY n.oid = pg_catalog.pg_my_temp_schema() DESC
"""

FIND_TABLE = """
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = %s
        AND CASE
            WHEN %s::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
            ELSE n.nspname = %s
        END
        AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
"""

NAME_TABLES = """
    SELECT c.oid, n.nspname, c.relname
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY(%s)
"""

NAME_COLLATIONS = """
    SELECT c.oid::text, n.nspname, c.collname
    FROM pg_catalog.pg_collation c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
    WHERE c.oid::text = ANY(%s)
"""


class QualifiedIntrospectionMixin(Introspection):
    """Introspection of tables in every schema.

    One table has one name: bare in ``public``, ``"schema"."table"`` elsewhere, whatever the
    search path.
    """

    def identifier_converter(self, name: str) -> str:
        """Return the spelling that :meth:`get_table_list` uses for the table."""
        if '"' not in name:
            return name
        try:
            schema, table = parse_table_name(name)
        except ValueError:
            return name
        return lookup_name(schema and truncate(schema), truncate(table))

    def get_table_list(self, cursor: CursorWrapper) -> list[Any]:
        """Mirror Django's method for all schemas but the system's, visible or not.

        A temporary table hides a table of the same bare name, as it does in SQL.
        """
        cursor.execute(LIST_TABLES)
        tables: dict[str, TableInfo] = {}
        for schema, name, *rest in cursor.fetchall():
            if name not in self.ignored_tables:
                listed = lookup_name(schema, name)
                tables.setdefault(listed, TableInfo(listed, *rest))
        return list(tables.values())

    def get_table_description(self, cursor: CursorWrapper, table_name: str) -> list[Any]:
        """Return the columns; a collation has its schema if it needs one."""
        with self._lookup(cursor, table_name, COLLATION_BY_OID) as lookup:
            columns: list[Any] = super().get_table_description(lookup, table_name)
        collations = [column.collation for column in columns if column.collation]
        names = self._names(cursor, NAME_COLLATIONS, collations)
        return [column._replace(collation=names.get(column.collation)) for column in columns]

    def get_sequences(
        self, cursor: CursorWrapper, table_name: str, table_fields: Iterable[Any] = ()
    ) -> list[Any]:
        """Return the sequences with qualified names: they are in the table's schema."""
        if '"' not in table_name:
            return super().get_sequences(cursor, table_name, table_fields)
        with self._lookup(cursor, table_name) as lookup:
            sequences: list[Any] = super().get_sequences(lookup, table_name, table_fields)
        schema = parse_table_name(table_name).schema
        return [
            {**sequence, "name": format_table_name(schema, sequence["name"])}
            for sequence in sequences
        ]

    def get_relations(self, cursor: CursorWrapper, table_name: str) -> dict[str, Any]:
        """Return the foreign keys, also those to tables in other schemas."""
        with self._lookup(cursor, table_name, RELATIONS_BY_OID) as lookup:
            relations: dict[str, Any] = super().get_relations(lookup, table_name)
        names = self._names(cursor, NAME_TABLES, {target[1] for target in relations.values()})
        # Since Django 6.0 there is a third element, the action on delete.
        return {
            column: (target[0], names[target[1]], *target[2:])
            for column, target in relations.items()
        }

    def get_constraints(self, cursor: CursorWrapper, table_name: str) -> dict[str, Any]:
        """Return the constraints; foreign keys name tables as :meth:`get_table_list` does."""
        with self._lookup(cursor, table_name, CONSTRAINT_TARGET_BY_OID) as lookup:
            constraints: dict[str, Any] = super().get_constraints(lookup, table_name)
        foreign_keys = [item for item in constraints.values() if item["foreign_key"]]
        oids = {int(item["foreign_key"][0]) for item in foreign_keys}
        names = self._names(cursor, NAME_TABLES, oids)
        for item in foreign_keys:
            oid, column = item["foreign_key"]
            item["foreign_key"] = (names[int(oid)], column)
        return constraints

    def _lookup(
        self, cursor: CursorWrapper, table_name: str, rewrites: Mapping[str, str] | None = None
    ) -> CatalogCursor:
        """Return a cursor for Django's queries about one table."""
        if '"' not in table_name:
            return CatalogCursor(cursor, rewrites or {}, {})
        schema, name = parse_table_name(table_name)
        schema = schema and truncate(schema)
        cursor.execute(FIND_TABLE, [truncate(name), schema, schema])
        # No table has the oid 0, so Django's queries return what they do for unknown tables.
        (oid,) = cursor.fetchone() or (0,)
        return CatalogCursor(cursor, {**BY_OID, **(rewrites or {})}, {table_name: oid})

    @staticmethod
    def _names(cursor: CursorWrapper, query: str, oids: Iterable[Any]) -> dict[Any, str]:
        wanted = list(oids)
        if not wanted:
            return {}
        cursor.execute(query, [wanted])
        return {oid: lookup_name(schema, name) for oid, schema, name in cursor.fetchall()}


def lookup_name(schema: str | None, name: str) -> str:
    """Return the name of a table or collation, bare in ``public`` and in system schemas."""
    bare = schema in (None, "public", "pg_catalog") or str(schema).startswith("pg_temp_")
    return format_table_name(None if bare else schema, name)


class CatalogCursor:
    """A cursor that runs Django's introspection queries with other conditions.

    Django's methods do not separate the lookup of the table from the rest. Copying their queries
    would require a copy for each version of Django and for each derived backend. If a query no
    longer contains the condition to rewrite, that is an error and never a wrong result.
    """

    def __init__(
        self, cursor: CursorWrapper, rewrites: Mapping[str, str], parameters: Mapping[str, int]
    ) -> None:
        self._cursor = cursor
        self._rewrites = rewrites
        self._parameters = parameters
        self._unused = set(rewrites)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is None and self._unused:
            raise NotSupportedError(
                "Django's introspection query for PostgreSQL has changed: it no longer contains "
                f"{', '.join(sorted(self._unused))}. Use a version of Django that is supported."
            )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, query: str, parameters: Sequence[Any] | None = None) -> Any:
        if parameters is None:
            return self._cursor.execute(query)
        rewritten = query
        for pattern, replacement in self._rewrites.items():
            rewritten, found = re.subn(pattern, replacement, rewritten)
            if found:
                self._unused.discard(pattern)
        if rewritten != query:
            # Queries that another backend adds keep their parameters.
            parameters = [self._parameters.get(value, value) for value in parameters]
        return self._cursor.execute(rewritten, parameters)
