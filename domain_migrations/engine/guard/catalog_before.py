"""The catalogs as they were before a migration.

A dropped table leaves nothing but an oid in the list of locks, and a stolen one resolves to its
new schema: only the past tells whose they were. A cursor sees the database as it was when it
was declared, whatever its own transaction does afterwards, and costs nothing until it is read.
So one is declared first thing, over rows whose oids are not known yet: it takes them from a
setting when it is read, and finds them by index, however many relations there are.
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

# All that a row of pg_class says of a table, but for what a first foreign key changes
# (relhastriggers) and for statistics.
CLASS_ROW: LiteralString = """ROW(relname, relnamespace, relowner, relam, relfilenode,
    reltablespace, relpersistence, relkind, relnatts, relchecks, relhasrules, relhassubclass,
    relrowsecurity, relforcerowsecurity, relreplident, relispartition, relacl::text,
    reloptions::text)::text"""

SELECT_RELATIONS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, oid, relnamespace, relname::text, relkind::text, 0::oid, "
    + CLASS_ROW + " FROM pg_class WHERE oid " + OID_FILTER
    + " UNION ALL SELECT 'pg_constraint'::regclass, k.oid, k.connamespace,"
    " 'constraint ' || k.conname, k.contype::text, k.confrelid, k.conrelid::text"
    " FROM pg_constraint k WHERE k.oid " + OID_FILTER
)  # fmt: skip

NAMED: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
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
"""Catalogs of things in a schema: the catalog, its columns' prefix, what the thing is."""

ON_TABLES: tuple[tuple[LiteralString, LiteralString, LiteralString, LiteralString], ...] = (
    ("pg_trigger", "tgrelid", "tgname", "trigger"),
    ("pg_rewrite", "ev_class", "rulename", "rule"),
    ("pg_policy", "polrelid", "polname", "policy"),
)
"""Catalogs of things on a table: the catalog, the table's column, the name's, what it is."""


CATALOGS = tuple(catalog for catalog, *_ in (*NAMED, *ON_TABLES))

# What came with the server has lower oids (FirstNormalObjectId), and belongs to no domain.
SELECT_FILLED: LiteralString = "SELECT " + ", ".join(
    "EXISTS (SELECT FROM " + catalog + " WHERE oid >= 16384)" for catalog in CATALOGS
)
"""Which of these catalogs have anything in them that the past may be asked about."""


def _objects(catalogs: Collection[str]) -> LiteralString:
    parts: list[LiteralString] = [
        "SELECT '" + catalog + "'::regclass::oid, oid, " + prefix + "namespace, '" + kind
        + " ' || " + prefix + "name, '', 0::oid, '' FROM " + catalog + " WHERE oid " + OID_FILTER
        + (" AND typcategory <> 'A'" if catalog == "pg_type" else "")
        for catalog, prefix, kind in NAMED if catalog in catalogs
    ]  # fmt: skip
    parts += [
        "SELECT '" + catalog + "'::regclass, x.oid, relnamespace, '" + kind + " ' || " + name
        + " || ' of ' || relname, '', r.oid, '' FROM " + catalog + " x JOIN pg_class r ON r.oid = "
        + table + " WHERE x.oid " + OID_FILTER
        + (" AND NOT tgisinternal" if kind == "trigger" else "")
        for catalog, table, name, kind in ON_TABLES if catalog in catalogs
    ]  # fmt: skip
    return " UNION ALL ".join(parts)


STATEMENTS: tuple[LiteralString, ...] = (SELECT_RELATIONS, _objects(CATALOGS))

# The setting has to exist when the cursor is declared.
DECLARE = sql.SQL(
    "SELECT set_config('domain_migrations.wanted', '{{}}', true); DECLARE {} NO SCROLL CURSOR FOR "
)
FETCH = sql.SQL(
    "SELECT set_config('domain_migrations.wanted', %(wanted)s::oid[]::text, true);FETCH ALL FROM {}"
)

_numbers = itertools.count(1)


class PreviousObject(NamedTuple):
    """Something that was there.

    Attributes:
        kind: a relation's relkind, a constraint's contype.
        table: what a foreign key pointed at, or what a trigger, rule or policy was on.
        row: a relation's row of ``pg_class``, a constraint's own table.
    """

    catalog: int
    oid: int
    schema: int
    name: str
    kind: str
    table: int
    row: str


class CatalogBefore:
    """What the catalogs said before an operation.

    It is asked about what a transaction has done since; once that was judged, what is there
    now may be the past of what comes next.

    Arguments:
        objects: the catalogs of anything but relations and constraints that will be asked for.
    """

    is_known = True

    def __init__(self, connection: BaseDatabaseWrapper, *, objects: Collection[str]) -> None:
        self.connection = connection
        self.known: dict[tuple[int, int], PreviousObject] = {}
        self.used: set[int] = set()
        # To plan a cursor costs more the more catalogs it is over.
        self.cursors = self._declare(
            (STATEMENTS[0], _objects(objects)) if objects else STATEMENTS[:1]
        )

    def _declare(self, statements: Iterable[LiteralString]) -> list[sql.Identifier]:
        declarations, cursors = [], []
        for statement in statements:
            # A new name each time: the last migration's may be open still, in a dry run.
            cursor = sql.Identifier(f"domain_migrations_past_{next(_numbers)}")
            cursors.append(cursor)
            declarations.append(DECLARE.format(cursor) + sql.SQL(statement))
        run_sql(self.connection, sql.SQL(";").join(declarations))
        return cursors

    def load(self, relations: Iterable[int], objects: Iterable[int]) -> None:
        """Look up what has these oids: relations and constraints, and everything else.

        Once for each of the two, until ``renew``.
        """
        asked = {oid for _, oid in self.known}
        for number, oids in enumerate((relations, objects)):
            wanted = sorted(set(oids) - asked)
            if not wanted or number >= len(self.cursors) or number in self.used:
                continue
            fetch = FETCH.format(self.cursors[number])
            _, rows = run_sql(self.connection, fetch, {"wanted": wanted})
            for row in rows:
                was = PreviousObject(*row)
                self.known[was.catalog, was.oid] = was
            self.used.add(number)

    def refresh(self) -> None:
        """Let what is there now be the past, for what has not been asked."""
        for number in self.used:
            self.cursors[number] = self._declare([STATEMENTS[number]])[0]
        self.used.clear()

    def get(self, catalog: int, oid: int) -> PreviousObject | None:
        """Return what ``look`` has found."""
        return self.known.get((catalog, oid))


class NoCatalogBefore(CatalogBefore):
    """No past: none was asked for, or the operation's transaction began before the guard."""

    is_known = False

    def __init__(self) -> None:
        self.known = {}

    def load(self, relations: Iterable[int], objects: Iterable[int]) -> None:
        """Nothing can be seen."""

    def refresh(self) -> None:
        """Nothing is kept."""
