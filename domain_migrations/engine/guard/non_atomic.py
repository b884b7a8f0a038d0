"""What a migration without a transaction has left behind.

Its statements have committed and their locks are gone, so rows of the catalogs are all there
is to look at: those younger than the migration's start, and objects that have gone since.
They do not tell who wrote them, so a schema whose domain was migrated meanwhile is passed
over. What cannot be seen at all: reading another domain's tables, and writing their rows.
"""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ..boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS, owner_clause
from ..boundary.schema_owners import SchemaOwners
from ..sql.query import run_sql
from .catalog_before import CLASS_ROW
from .catalog_changes import catalog_queries, dependency_sql, describe_object
from .transaction import PG_CLASS, TransactionPoint, written_since
from .violations import NOT_IN_PUBLIC, Violation, hint_for

SELECT_CHANGED: LiteralString = (
    " UNION ALL ".join(catalog_queries(written_since).values())
    + " UNION ALL SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace <> ALL(%(quiet)s::oid[])"
    " AND " + written_since("x")
    + " UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_attribute x"
    " JOIN pg_class c ON c.oid = x.attrelid"
    " WHERE c.relnamespace <> ALL(%(quiet)s::oid[]) AND c.relkind <> 't' AND " + written_since("x")
    + " UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_trigger x"
    " JOIN pg_class c ON c.oid = x.tgrelid"
    " WHERE c.relnamespace <> ALL(%(quiet)s::oid[]) AND NOT x.tgisinternal AND "
    + written_since("x")
    + " UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_constraint x"
    " JOIN pg_class c ON c.oid = x.conrelid"
    " WHERE c.relnamespace <> ALL(%(quiet)s::oid[]) AND " + written_since("x")
)  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT x.oid, x.relnamespace, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.relnamespace <> ALL(%(quiet)s::oid[]) AND x.relkind <> 't' AND " + written_since("x")
)

# What was there before; a table's row only where a first foreign key would change it.
SELECT_RELATIONS: LiteralString = (
    "SELECT oid, relnamespace, relname::text, CASE WHEN relhasindex AND NOT relhastriggers"
    " AND relkind IN ('r', 'p') THEN " + CLASS_ROW + " END"
    " FROM pg_class WHERE relnamespace = ANY(%(foreign)s::oid[]) AND relkind NOT IN ('i', 'I', 't')"
)

SELECT_GONE: LiteralString = (
    "SELECT k.oid FROM unnest(%(relations)s::oid[]) k (oid)"
    " LEFT JOIN pg_class c ON c.oid = k.oid"
    " WHERE c.oid IS NULL OR c.relnamespace = ANY(%(quiet)s::oid[])"
)

SELECT_CROSSINGS = dependency_sql(written_since)

SELECT_OWN: LiteralString = (
    "SELECT 'relation', oid FROM pg_class WHERE relnamespace = ANY(%(own)s::oid[])"
    " AND relkind NOT IN ('i', 'I', 't')"
    " UNION ALL SELECT 'function', oid FROM pg_proc WHERE pronamespace = ANY(%(own)s::oid[])"
)


class NonAtomicCheck:
    """Looks at the catalogs after operations that ran without a transaction.

    Arguments:
        territory: of the database before the migration.
        before: where the migration began.
        opaque: whether the migration has operations with SQL of their own.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        territory: SchemaOwners,
        before: TransactionPoint,
        *,
        opaque: bool,
    ) -> None:
        self.connection = connection
        self.territory = territory
        self.domain = territory.domain
        self.before = before
        self.relations: dict[int, tuple[int, str, str | None]] = {}
        if opaque:
            [rows] = run_sql(connection, SELECT_RELATIONS, {"foreign": territory.forbidden})
            self.relations = {oid: (schema, name, row) for oid, schema, name, row in rows}

    def violations(self, *, opaque: bool) -> Iterator[Violation]:
        """Yield what breaks the rule, as far as it can be seen.

        Arguments:
            opaque: whether operations ran whose SQL is not known; Django's own can only make
                the domain's tables depend on something.
        """
        self.territory.read(self.connection)
        busy: dict[str, bool] = {}
        for refusal, owner in self._findings() if opaque else self._crossings():
            if owner is not None and owner.name not in busy:
                busy[owner.name] = self._ran_meanwhile(owner)
            if owner is None or not busy[owner.name]:
                yield refusal

    def _findings(self) -> Iterator[tuple[Violation, Domain | None]]:
        params = {
            "top": self.before.xid,
            "quiet": self.territory.allowed,
            "relations": list(self.relations),
        }
        [rows] = run_sql(self.connection, SELECT_CHANGED, params)
        for catalog, oid, schema in rows:
            if not self.territory.is_own(schema) and schema:
                yield self._changed(catalog, oid, schema)
        [rows] = run_sql(self.connection, SELECT_CHANGED_RELATIONS, params)
        for oid, schema, row in rows:
            if oid not in self.relations or self.relations[oid][2] != row:
                yield self._changed(PG_CLASS, oid, schema)
        [rows] = run_sql(self.connection, SELECT_GONE, params)
        for (oid,) in rows:
            schema, name, _ = self.relations[oid]
            owner = self.territory.owner(schema)
            did = f"dropped or moved {self.territory.names[schema]}.{name}, {owner_clause(owner)}"
            yield Violation(1, did, hint_for(self.domain, owner, shape=True)), owner
        yield from self._crossings()

    def _crossings(self) -> Iterator[tuple[Violation, Domain | None]]:
        own = [oid for oid in self.territory.allowed if not self.territory.is_system(oid)]
        [rows] = run_sql(self.connection, SELECT_OWN, {"own": own})
        now, _ = TransactionPoint.at_start(self.connection)
        params = {
            **now.params(self.before),
            "top": self.before.xid,
            "relations": [oid for kind, oid in rows if kind == "relation"],
            "functions": [oid for kind, oid in rows if kind == "function"],
            "others": [oid for oid in self.territory.forbidden if oid != self.territory.core],
        }
        [rows] = run_sql(self.connection, SELECT_CROSSINGS, params)
        for catalog, oid, column, used_catalog, used_oid, used_column, schema, _ in rows:
            owner = self.territory.owner(schema)
            user = describe_object(self.connection, catalog, oid, column)
            used = describe_object(self.connection, used_catalog, used_oid, used_column)
            # Made in the domain's own schema, so nobody else's run explains it.
            yield (
                Violation(
                    2,
                    f"made {user} use {used}, {owner_clause(owner)}",
                    CORE_DEPENDS if self.domain.is_core else DOMAIN_DEPENDS,
                ),
                None,
            )

    def _changed(self, catalog: int, oid: int, schema: int) -> tuple[Violation, Domain | None]:
        owner = self.territory.owner(schema)
        made = oid > self.before.next_oid
        new_in_public = owner is not None and owner.is_core and made and oid != schema
        hint = hint_for(self.domain, owner, shape=True)
        name = describe_object(self.connection, catalog, oid)
        # An index cannot be made elsewhere than beside its table.
        if new_in_public and not name.startswith("index "):
            hint = NOT_IN_PUBLIC.format(schema=self.domain.schema)
        return Violation(
            3, f"{'made' if made else 'altered'} {name}, {owner_clause(owner)}", hint
        ), owner

    def _ran_meanwhile(self, owner: Domain) -> bool:
        """Whether the domain's journal got rows meanwhile, so that a run of its own was on."""
        table = sql.Identifier(*owner.journal_table)
        exists = "SELECT to_regclass(%(name)s) IS NOT NULL"
        name = sql.Identifier(*owner.journal_table).as_string(self.connection.connection)
        [[(there,)]] = run_sql(self.connection, exists, {"name": name})
        if not there:
            return False
        # To verify a domain writes a row too, and explains nothing.
        statement = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} AS x WHERE x.direction <> 'verify' AND {})"
        ).format(table, sql.SQL(written_since("x")))
        [[(busy,)]] = run_sql(self.connection, statement, {"top": self.before.xid})
        return bool(busy)
