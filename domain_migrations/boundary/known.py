"""What the database held before the migrations, of what they have to leave alone.

A dropped table leaves an oid in the list of locks, and a stolen one resolves to its new
schema: only what was known before tells whose they were. Read once for a run, in few rows,
because a database may hold tens of thousands of relations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import LiteralString, NamedTuple

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from ..backends.postgresql.names import parse_table_name
from ..domains import Domain, get_domains
from .asking import query
from .mark import PG_CONSTRAINT

SELECT_NAMESPACES = "SELECT oid, nspname FROM pg_namespace"

# One row for each schema, whatever the number of relations: parsing rows is what costs.
SELECT_RELATIONS = r"""
SELECT relnamespace, string_agg(oid::text, ' '), string_agg(relkind::text || relname, E'\x01')
FROM pg_class
WHERE relnamespace = ANY(%(schemas)s::oid[]) AND relkind NOT IN ('i', 'I', 't')
GROUP BY relnamespace
"""

# A domain's indexes and constraints cannot be touched without locking their table.
SELECT_CORE_PARTS = """
SELECT (SELECT coalesce(string_agg(oid::text, ' '), '') FROM pg_class
        WHERE relnamespace = %(core)s::oid AND relkind IN ('i', 'I')),
    (SELECT coalesce(string_agg(oid::text, ' '), '') FROM pg_constraint
        WHERE connamespace = %(core)s::oid AND conrelid <> 0)
"""

SELECT_OBJECTS = """
SELECT 'pg_proc'::regclass::oid, oid, pronamespace, 'function ' || proname FROM pg_proc
    WHERE pronamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace, 'type ' || typname FROM pg_type
    WHERE typnamespace = ANY(%(schemas)s::oid[]) AND typrelid = 0 AND typcategory <> 'A'
UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace, 'operator ' || oprname
    FROM pg_operator WHERE oprnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace, 'operator class ' || opcname
    FROM pg_opclass WHERE opcnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace, 'operator family ' || opfname
    FROM pg_opfamily WHERE opfnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace, 'collation ' || collname
    FROM pg_collation WHERE collnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace, 'conversion ' || conname
    FROM pg_conversion WHERE connamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace, 'text search configuration ' || cfgname
    FROM pg_ts_config WHERE cfgnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace, 'text search dictionary ' || dictname
    FROM pg_ts_dict WHERE dictnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace, 'text search parser ' || prsname
    FROM pg_ts_parser WHERE prsnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace, 'text search template ' || tmplname
    FROM pg_ts_template WHERE tmplnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxnamespace, 'statistics ' || stxname
    FROM pg_statistic_ext WHERE stxnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_extension'::regclass, oid, extnamespace, 'extension ' || extname
    FROM pg_extension WHERE extnamespace = ANY(%(schemas)s::oid[])
UNION ALL SELECT 'pg_trigger'::regclass, t.oid, relnamespace, 'trigger ' || tgname || ' of ' || relname
    FROM pg_trigger t JOIN pg_class r ON r.oid = tgrelid
    WHERE NOT tgisinternal AND relnamespace = %(core)s::oid
UNION ALL SELECT 'pg_rewrite'::regclass, w.oid, relnamespace, 'rule ' || rulename || ' of ' || relname
    FROM pg_rewrite w JOIN pg_class r ON r.oid = ev_class
    WHERE rulename <> '_RETURN' AND relnamespace = %(core)s::oid
UNION ALL SELECT 'pg_policy'::regclass, p.oid, relnamespace, 'policy ' || polname || ' of ' || relname
    FROM pg_policy p JOIN pg_class r ON r.oid = polrelid WHERE relnamespace = %(core)s::oid
"""

# All that a row of pg_class says of a table, but for what a first foreign key changes
# (relhastriggers) and for statistics.
CLASS_ROW: LiteralString = """ROW(relname, relnamespace, relowner, relam, relfilenode, reltablespace,
    relpersistence, relkind, relnatts, relchecks, relhasrules, relhassubclass, relrowsecurity,
    relforcerowsecurity, relreplident, relispartition, relacl::text, reloptions::text)::text"""

# The only tables whose row of pg_class a foreign key to them changes.
SELECT_CLASS_ROWS: LiteralString = (
    "SELECT oid, " + CLASS_ROW + " FROM pg_class WHERE relnamespace = %(core)s::oid"
    " AND relkind IN ('r', 'p') AND relhasindex AND NOT relhastriggers"
    " AND (%(all)s OR relname = ANY(%(tables)s))"
)

MANY_TABLES = 2_000
"""With more tables in core's schema, rows are kept only of those that have a model."""

SELECT_FOREIGN_KEYS = """
SELECT conrelid, conname FROM pg_constraint
WHERE contype = 'f' AND connamespace = ANY(%(schemas)s::oid[])
"""


class KnownObject(NamedTuple):
    """Something that was there before, and the oid of the schema that it was in."""

    schema: int
    name: str


@dataclass
class Territory:
    """Whose each schema of the database is.

    Attributes:
        names: of all schemas seen, as they were when first seen, by oid.
        there: those that there were when the migration began.
    """

    domain: Domain
    names: dict[int, str] = field(default_factory=dict)
    there: frozenset[int] = frozenset()

    def begin(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas, once, and remember which there are."""
        if not self.names:
            self.read(connection)
        self.there = frozenset(self.names)

    def read(self, connection: BaseDatabaseWrapper) -> None:
        """Read the schemas that there are now; ``names`` keeps those that are gone."""
        [rows] = query(connection, SELECT_NAMESPACES)
        self.domains = {domain.schema: domain for domain in get_domains()}
        for oid, name in rows:
            self.names.setdefault(oid, name)

    def owner(self, schema: int) -> Domain | None:
        """Return the domain that owns the schema, None where no domain does."""
        return self.domains.get(self.names.get(schema, ""))

    def is_own(self, schema: int) -> bool:
        """Return whether the domain may make what it likes there."""
        owner = self.owner(schema)
        # What belongs to no domain is core's, as apps without a domain are.
        return owner == self.domain if owner else self.domain.is_core or self.is_system(schema)

    def is_system(self, schema: int) -> bool:
        """Return whether the schema is PostgreSQL's, temporary ones included."""
        name = self.names.get(schema, "")
        return name.startswith("pg_") or name == "information_schema"

    @property
    def foreign(self) -> list[int]:
        """The schemas of the other domains, core's too when this one is not core."""
        return [oid for oid in self.names if self.owner(oid) and not self.is_own(oid)]

    @property
    def quiet(self) -> list[int]:
        """The schemas in which everything is allowed."""
        return [oid for oid in self.names if self.is_own(oid)]

    @property
    def core(self) -> int:
        """Core's schema where another domain runs; 0, which no schema has, where core does."""
        return next(
            (oid for oid in self.foreign if (owner := self.owner(oid)) and owner.is_core), 0
        )


class Oids:
    """Many oids in one text, as the server sent it; searched, never taken apart."""

    def __init__(self, text: str = "", names: str = "") -> None:
        self.text = f" {text} "
        self.names = names

    def __contains__(self, oid: int) -> bool:
        return f" {oid} " in self.text

    def name(self, oid: int) -> str | None:
        """Return the oid's name, None where it is not among them."""
        start = self.text.find(f" {oid} ")
        if start < 0:
            return None
        return self.names.split("\x01")[self.text.count(" ", 0, start)]

    def __iter__(self) -> Iterator[int]:
        return map(int, self.text.split())

    def __len__(self) -> int:
        return len(self.text.split())


@dataclass
class Known:
    """What there was before the run.

    Attributes:
        relations: of the other domains and of core, by schema; a name begins with its relkind.
        indexes, constraints: core's.
        objects: functions, types and so on of theirs, by (oid of the catalog, oid); of core
            also what hangs on its tables. Empty until ``read_objects``.
        class_rows: core's tables that no foreign key points at, and their row of pg_class;
            where there are very many tables, only of those in ``core_tables``.
        foreign_keys: the other domains' foreign keys, where core runs.
    """

    relations: dict[int, Oids] = field(default_factory=dict)
    indexes: Oids = field(default_factory=Oids)
    constraints: Oids = field(default_factory=Oids)
    objects: dict[tuple[int, int], KnownObject] = field(default_factory=dict)
    class_rows: dict[int, str] = field(default_factory=dict)
    core_tables: frozenset[str] | None = None
    foreign_keys: set[tuple[int, str]] = field(default_factory=set)
    has_relations: bool = False
    has_objects: bool = False

    def read_relations(self, connection: BaseDatabaseWrapper, territory: Territory) -> None:
        """Read the relations, once."""
        if self.has_relations:
            return
        self.has_relations = True
        params = {"schemas": territory.foreign}
        [rows] = query(connection, SELECT_RELATIONS, params)
        self.relations = {schema: Oids(oids, names) for schema, oids, names in rows}
        if territory.domain.is_core:
            [rows] = query(connection, SELECT_FOREIGN_KEYS, params)
            self.foreign_keys = {(table, name) for table, name in rows}

    def read_objects(self, connection: BaseDatabaseWrapper, territory: Territory) -> None:
        """Read all the rest, once; only operations with SQL of their own can touch it."""
        if self.has_objects:
            return
        self.has_objects = True
        params = {"schemas": territory.foreign, "core": territory.core}
        [rows] = query(connection, SELECT_OBJECTS, params)
        self.objects = {(row[0], row[1]): KnownObject(row[2], row[3]) for row in rows}
        [[(indexes, constraints)]] = query(connection, SELECT_CORE_PARTS, params)
        self.indexes, self.constraints = Oids(indexes), Oids(constraints)
        if len(self.relations.get(territory.core, ())) > MANY_TABLES:
            self.core_tables = frozenset(_core_tables())
        tables = {"all": self.core_tables is None, "tables": list(self.core_tables or ())}
        [rows] = query(connection, SELECT_CLASS_ROWS, {**params, **tables})
        self.class_rows = dict(rows)

    def relation(self, oid: int) -> KnownObject | None:
        """Return a relation that was there before; its name begins with its relkind."""
        for schema, oids in self.relations.items():
            name = oids.name(oid)
            if name is not None:
                return KnownObject(schema, name)
        return None

    def object(self, catalog: int, oid: int, core: int) -> KnownObject | None:
        """Return anything else that was there before."""
        if catalog == PG_CONSTRAINT:
            return KnownObject(core, "a constraint") if oid in self.constraints else None
        return self.objects.get((catalog, oid))

    def explains(self, oid: int, row: str) -> bool:
        """Return whether a foreign key may have made a core table's row of pg_class this."""
        before = self.class_rows.get(oid)
        if before is not None:
            return before == row
        relation = self.relation(oid)
        # Too many tables to have kept the row; with a model it would have been kept.
        return (
            self.core_tables is not None
            and relation is not None
            and relation.name[1:] not in self.core_tables
        )


def _core_tables() -> Iterator[str]:
    core = get_domains()[0]
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in core.app_labels:
            yield parse_table_name(model._meta.db_table).name
