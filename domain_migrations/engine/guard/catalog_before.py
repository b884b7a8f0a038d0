"""The catalogs as they were before a migration.

A dropped table leaves nothing but an oid in the list of locks, and a moved one resolves to its
new schema: only its previous row shows which domain it belonged to. A cursor sees the database as
it was when the cursor was declared, whatever its own transaction does afterwards, and costs
nothing until it is read. So one is declared at the start, over rows whose oids are not known yet:
it takes them from a setting when it is read, and finds them by index, however many there are.
"""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..sql.query import run_sql

OID_FILTER: LiteralString = "= ANY(current_setting('domain_migrations.wanted')::oid[])"

PG_CLASS, PG_CONSTRAINT, PG_LARGEOBJECT, PG_NAMESPACE = 1259, 2606, 2613, 2615
PG_EXTENSION, PG_DEFAULT_ACL, PG_PUBLICATION, PG_PUBLICATION_REL = 3079, 826, 6104, 6106
"""The catalogs' own oids, which never change."""

# A table's row of pg_class without what a first foreign key changes (relhastriggers), and
# without statistics.
CLASS_ROW: LiteralString = """ROW(relname, relnamespace, relowner, relam, relfilenode,
    reltablespace, relpersistence, relkind, relnatts, relchecks, relhasrules, relhassubclass,
    relrowsecurity, relforcerowsecurity, relreplident, relispartition, relacl::text,
    reloptions::text)::text"""

SELECT_RELATIONS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, oid, relnamespace, '', relname::text, relkind::text, '',"
    " 0::oid, " + CLASS_ROW + " FROM pg_class WHERE oid " + OID_FILTER
    + " UNION ALL SELECT 'pg_constraint'::regclass, oid, connamespace, 'constraint',"
    " conname::text, contype::text, '', confrelid, conrelid::text FROM pg_constraint"
    " WHERE oid " + OID_FILTER
)  # fmt: skip

IN_SCHEMAS: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("pg_proc", "pro", "function"),
    ("pg_type", "typ", "type"),
    ("pg_operator", "opr", "operator"),
    ("pg_opclass", "opc", "operator class"),
    ("pg_opfamily", "opf", "operator family"),
    ("pg_collation", "coll", "collation"),
    ("pg_conversion", "con", "conversion"),
    ("pg_ts_config", "cfg", "text search configuration"),
    ("pg_ts_dict", "dict", "text search dictionary"),
    ("pg_ts_parser", "prs", "text search parser"),
    ("pg_ts_template", "tmpl", "text search template"),
    ("pg_statistic_ext", "stx", "statistics"),
    ("pg_extension", "ext", "extension"),
)
"""Catalogs of objects in a schema: the catalog, the prefix of its columns, a label."""

SCHEMA_COLUMNS: dict[str, LiteralString] = {
    "pg_class": "relnamespace",
    "pg_default_acl": "defaclnamespace",
    **{catalog: prefix + "namespace" for catalog, prefix, _ in IN_SCHEMAS},
}
"""The column of each catalog that holds an object's schema."""

ON_TABLES: tuple[tuple[LiteralString, LiteralString, LiteralString, LiteralString], ...] = (
    ("pg_trigger", "tgrelid", "tgname", "trigger"),
    ("pg_rewrite", "ev_class", "rulename", "rule"),
    ("pg_policy", "polrelid", "polname", "policy"),
)
"""Catalogs of parts of a table: the catalog, the columns of the table and the name, a label."""

OF_TYPE: LiteralString = """coalesce((
    SELECT typnamespace FROM pg_type
    WHERE oid IN ({}) AND typnamespace <> 'pg_catalog'::regnamespace LIMIT 1), 0)"""

# The schemas of a publication's tables; 0 where it is for all tables of the database.
MEMBERS: LiteralString = """CASE WHEN x.puballtables THEN '0' ELSE coalesce((
    SELECT string_agg(DISTINCT schema::text, ',') FROM (
        SELECT relnamespace AS schema FROM pg_publication_rel JOIN pg_class c ON c.oid = prrelid
        WHERE prpubid = x.oid
        UNION ALL SELECT pnnspid FROM pg_publication_namespace WHERE pnpubid = x.oid
    ) m), '') END"""

IN_DATABASE: tuple[tuple[LiteralString, LiteralString, LiteralString, LiteralString], ...] = (
    ("pg_event_trigger", "event trigger", "x.evtname::text", "0::oid"),
    ("pg_language", "language", "x.lanname::text", "0::oid"),
    ("pg_am", "access method", "x.amname::text", "0::oid"),
    ("pg_foreign_data_wrapper", "foreign-data wrapper", "x.fdwname::text", "0::oid"),
    ("pg_foreign_server", "server", "x.srvname::text", "0::oid"),
    ("pg_publication", "publication", "x.pubname::text", "0::oid"),
    ("pg_default_acl", "default privileges of", "x.defaclrole::regrole::text",
     "x.defaclnamespace"),
    ("pg_cast", "cast", "x.castsource::regtype || ' AS ' || x.casttarget::regtype",
     OF_TYPE.replace("{}", "x.castsource, x.casttarget")),
    ("pg_transform", "transform for type", "x.trftype::regtype::text",
     OF_TYPE.replace("{}", "x.trftype")),
)  # fmt: skip
"""Catalogs of objects in no schema: the catalog, a label, the name, a schema that it is about."""

PUBLISHED: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("pg_publication_rel", "c.relname::text, c.oid",
     "pg_publication p ON p.oid = x.prpubid JOIN pg_class c ON c.oid = x.prrelid"),
    ("pg_publication_namespace", "'', 0::oid",
     "pg_publication p ON p.oid = x.pnpubid"),
)  # fmt: skip
"""Catalogs of what publications publish: the catalog, the table's name and oid, a join."""

CATALOGS = tuple(catalog for catalog, *_ in (*IN_SCHEMAS, *ON_TABLES, *IN_DATABASE, *PUBLISHED))

FIRST_NORMAL_OID = 16384
"""Objects that came with the server have lower oids, and belong to no domain."""

SELECT_FILLED: LiteralString = "SELECT " + ", ".join(
    "EXISTS (SELECT FROM " + catalog + " WHERE oid >= 16384)" for catalog in CATALOGS
)
"""Which of these catalogs hold objects that a migration could drop."""


def _objects(catalogs: Collection[str]) -> LiteralString:
    parts: list[LiteralString] = [
        "SELECT '" + catalog + "'::regclass::oid, oid, " + prefix + "namespace, '" + label + "', "
        + prefix + "name::text, '', '', 0::oid, '' FROM " + catalog + " WHERE oid " + OID_FILTER
        + (" AND typcategory <> 'A'" if catalog == "pg_type" else "")
        for catalog, prefix, label in IN_SCHEMAS if catalog in catalogs
    ]  # fmt: skip
    parts += [
        "SELECT '" + catalog + "'::regclass::oid, x.oid, relnamespace, '" + label + "', " + name
        + "::text, '', relname::text, 0::oid, '' FROM " + catalog + " x JOIN pg_class r ON r.oid = "
        + table + " WHERE x.oid " + OID_FILTER
        + (" AND NOT tgisinternal" if label == "trigger" else "")
        for catalog, table, name, label in ON_TABLES if catalog in catalogs
    ]  # fmt: skip
    parts += [
        "SELECT '" + catalog + "'::regclass::oid, x.oid, " + schema + ", '" + label + "', " + name
        + ", '', '', 0::oid, " + (MEMBERS if catalog == "pg_publication" else "''")
        + " FROM " + catalog + " x WHERE x.oid " + OID_FILTER
        for catalog, label, name, schema in IN_DATABASE if catalog in catalogs
    ]  # fmt: skip
    parts += [
        "SELECT '" + catalog + "'::regclass::oid, x.oid, "
        + ("x.pnnspid" if catalog == "pg_publication_namespace" else "c.relnamespace")
        + ", 'publication', p.pubname::text, '', " + table + ", '' FROM " + catalog
        + " x JOIN " + join + " WHERE x.oid " + OID_FILTER
        for catalog, table, join in PUBLISHED if catalog in catalogs
    ]  # fmt: skip
    return " UNION ALL ".join(parts)


# The setting has to exist when the cursor is declared.
DECLARE = sql.SQL(
    "SELECT set_config('domain_migrations.wanted', '{{}}', true); DECLARE {} NO SCROLL CURSOR FOR "
)
FETCH = sql.SQL(
    "SELECT set_config('domain_migrations.wanted', %(wanted)s::oid[]::text, true);FETCH ALL FROM {}"
)

_numbers = itertools.count(1)


class PreviousObject(NamedTuple):
    """An object that existed before.

    Attributes:
        label: the kind of object in words; empty for a relation.
        kind: a relation's relkind, a constraint's contype.
        table: the name of the table that a trigger, rule or policy was on, or a publication of.
        target: the table that a foreign key pointed at, or that was published.
        row: a relation's row of ``pg_class``, the oid of a constraint's table, the schemas of a
            publication's tables.
    """

    catalog: int
    oid: int
    schema: int
    label: str
    name: str
    kind: str
    table: str
    target: int
    row: str

    @property
    def description(self) -> str:
        on_table = f" of {self.table}" if self.table else ""
        return f"{self.label} {self.name}{on_table}"


class CatalogBefore:
    """The catalogs' rows from before an operation.

    They explain what a transaction has done since. Once that was judged, the present can become
    the past of the operations that follow.

    Arguments:
        relations: whether relations and constraints will be read.
        objects: the other catalogs that will be read beside them.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        *,
        relations: bool = False,
        objects: Collection[str] = (),
    ) -> None:
        self.connection = connection
        self.is_known = relations
        # The more catalogs a cursor is over, the more it costs to plan.
        self.statements: list[LiteralString] = [SELECT_RELATIONS] if relations else []
        if objects:
            self.statements.append(_objects(objects))
        self.known: dict[tuple[int, int], PreviousObject] = {}
        self.cursors: dict[int, sql.Identifier] = {}
        self.refresh()

    def refresh(self) -> None:
        """Let the present be the past, for the objects that have not been read."""
        declarations = []
        for number, statement in enumerate(self.statements):
            if number not in self.cursors:
                # A new name each time: in a dry run, the last migration's may still be open.
                cursor = sql.Identifier(f"domain_migrations_past_{next(_numbers)}")
                self.cursors[number] = cursor
                declarations.append(DECLARE.format(cursor) + sql.SQL(statement))
        if declarations:
            run_sql(self.connection, sql.SQL(";").join(declarations))

    def load(self, relations: Iterable[int], objects: Iterable[int]) -> None:
        """Read the objects with these oids: relations and constraints, and all others.

        Works once for each of the two, until ``refresh``.
        """
        loaded = {oid for _, oid in self.known}
        for number, oids in enumerate((relations, objects)):
            wanted = sorted(set(oids) - loaded)
            if wanted and number in self.cursors:
                fetch = FETCH.format(self.cursors.pop(number))
                _, rows = run_sql(self.connection, fetch, {"wanted": wanted})
                for was in map(PreviousObject._make, rows):
                    self.known[was.catalog, was.oid] = was

    def get(self, catalog: int, oid: int) -> PreviousObject | None:
        """Return an object that ``load`` has found."""
        return self.known.get((catalog, oid))
