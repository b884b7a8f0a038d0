"""The check of a migration without a transaction, by the rows that it left in the catalogs.

Its statements have committed and their locks are released, so the rows of the catalogs are all
the evidence: those newer than the migration's start, and objects that were dropped since. They
do not show who wrote them, so schemas of a domain that was migrated meanwhile are skipped. Reading
another domain's tables, and writing their rows, cannot be seen at all.
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
from .catalog_before import CLASS_ROW, PG_CLASS
from .catalog_changes import (
    NOT_ALLOWED,
    CrossSchemaDependency,
    catalog_queries,
    dependency_sql,
    describe_object,
)
from .transaction import TransactionPoint, written_since
from .violations import NOT_IN_PUBLIC, Violation, hint_for

DROPPED, CROSSING, WRITTEN = 1, 2, 3
"""Priorities: which of several traces of a statement explains it best."""

SELECT_TABLE: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM {catalog} x"
    " JOIN pg_class c ON c.oid = x.{table} WHERE c.relnamespace" + NOT_ALLOWED
    + " AND {condition} AND " + written_since("x")
)  # fmt: skip

SELECT_CHANGED: LiteralString = " UNION ALL ".join((
    *catalog_queries(written_since).values(),
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_ALLOWED
    + " AND " + written_since("x"),
    SELECT_TABLE.format(catalog="pg_attribute", table="attrelid", condition="c.relkind <> 't'"),
    SELECT_TABLE.format(catalog="pg_trigger", table="tgrelid", condition="NOT x.tgisinternal"),
    SELECT_TABLE.format(catalog="pg_constraint", table="conrelid", condition="true"),
))  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT x.oid, x.relnamespace, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.relnamespace" + NOT_ALLOWED + " AND x.relkind <> 't' AND " + written_since("x")
)

# The relations before; a table's row only where a first foreign key would change it.
SELECT_RELATIONS: LiteralString = (
    "SELECT oid, relnamespace, relname::text, CASE WHEN relhasindex AND NOT relhastriggers"
    " AND relkind IN ('r', 'p') THEN " + CLASS_ROW + " END"
    " FROM pg_class WHERE relnamespace = ANY(%(foreign)s::oid[]) AND relkind NOT IN ('i', 'I', 't')"
)

SELECT_DROPPED: LiteralString = (
    "SELECT k.oid FROM unnest(%(relations)s::oid[]) k (oid)"
    " LEFT JOIN pg_class c ON c.oid = k.oid"
    " WHERE c.oid IS NULL OR c.relnamespace = ANY(%(allowed)s::oid[])"
)

SELECT_DEPENDENCIES = dependency_sql(written_since)

SELECT_OWN: LiteralString = (
    "SELECT 'relation', oid FROM pg_class WHERE relnamespace = ANY(%(own)s::oid[])"
    " AND relkind NOT IN ('i', 'I', 't')"
    " UNION ALL SELECT 'function', oid FROM pg_proc WHERE pronamespace = ANY(%(own)s::oid[])"
)

Found = Iterator[tuple[Violation, Domain | None]]
"""Violations, and the domain whose own run would explain each; None where no run would."""


class NonAtomicCheck:
    """Compares the catalogs after operations with the point where the migration began.

    Arguments:
        owners: of the schemas, as they were before the migration.
        custom_sql: whether the migration has operations with custom SQL, so that the other
            domains' relations have to be remembered.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        owners: SchemaOwners,
        before: TransactionPoint,
        *,
        custom_sql: bool,
    ) -> None:
        self.connection = connection
        self.owners = owners
        self.domain = owners.domain
        self.before = before
        self.relations: dict[int, tuple[int, str, str | None]] = {}
        if custom_sql:
            [rows] = run_sql(connection, SELECT_RELATIONS, {"foreign": owners.forbidden})
            self.relations = {oid: (schema, name, row) for oid, schema, name, row in rows}

    def violations(self, *, custom_sql: bool) -> Iterator[Violation]:
        """Yield what breaks the boundary, as far as it can be seen.

        In three steps: find what was changed or dropped elsewhere, find what depends on other
        domains, and skip what a run of the owner's explains.

        Arguments:
            custom_sql: whether operations ran whose SQL is unknown; Django's own can only make
                the domain's tables depend on something.
        """
        self.owners.read(self.connection)
        meanwhile: dict[str, bool] = {}
        for violation, owner in self._all() if custom_sql else self._dependencies():
            if owner is not None and owner.name not in meanwhile:
                meanwhile[owner.name] = self._ran_meanwhile(owner)
            if owner is None or not meanwhile[owner.name]:
                yield violation

    def _all(self) -> Found:
        params = {
            "xid": self.before.xid,
            "allowed": self.owners.allowed,
            "relations": list(self.relations),
        }
        yield from self._changed(params)
        yield from self._dropped(params)
        yield from self._dependencies()

    def _changed(self, params: dict[str, object]) -> Found:
        """Yield objects outside the domain that are newer than the migration's start."""
        [rows] = run_sql(self.connection, SELECT_CHANGED, params)
        for catalog, oid, schema in rows:
            if not self.owners.is_own(schema) and schema:
                yield self._object_violation(catalog, oid, schema)
        [rows] = run_sql(self.connection, SELECT_CHANGED_RELATIONS, params)
        for oid, schema, row in rows:
            if oid not in self.relations or self.relations[oid][2] != row:
                yield self._object_violation(PG_CLASS, oid, schema)

    def _object_violation(
        self, catalog: int, oid: int, schema: int
    ) -> tuple[Violation, Domain | None]:
        owner = self.owners.owner(schema)
        made = oid > self.before.next_oid
        described = describe_object(self.connection, catalog, oid)
        new_in_public = owner is not None and owner.is_core and made and oid != schema
        hint = hint_for(self.domain, owner, shape=True)
        # An index can only be created beside its table.
        if new_in_public and not described.text.startswith("index "):
            hint = NOT_IN_PUBLIC.format(schema=self.domain.schema)
        action = f"{'made' if made else 'altered'} {described.text}, {owner_clause(owner)}"
        return Violation(WRITTEN, action, hint, described.names), owner

    def _dropped(self, params: dict[str, object]) -> Found:
        """Yield other domains' relations that exist no longer, or moved to this one."""
        [rows] = run_sql(self.connection, SELECT_DROPPED, params)
        for (oid,) in rows:
            schema_oid, name, _ = self.relations[oid]
            owner, schema = self.owners.owner(schema_oid), self.owners.names[schema_oid]
            action = f"dropped or moved {schema}.{name}, {owner_clause(owner)}"
            hint = hint_for(self.domain, owner, shape=True)
            yield Violation(DROPPED, action, hint, frozenset((schema, name))), owner

    def _dependencies(self) -> Found:
        """Yield the domain's objects that now depend on another domain's."""
        own = [oid for oid in self.owners.allowed if not self.owners.is_system(oid)]
        [rows] = run_sql(self.connection, SELECT_OWN, {"own": own})
        now, _ = TransactionPoint.at_start(self.connection)
        params = {
            **now.params(self.before),
            "xid": self.before.xid,
            "relations": [oid for kind, oid in rows if kind == "relation"],
            "functions": [oid for kind, oid in rows if kind == "function"],
            "others": [oid for oid in self.owners.forbidden if oid != self.owners.core],
        }
        [rows] = run_sql(self.connection, SELECT_DEPENDENCIES, params)
        for dependency in map(CrossSchemaDependency._make, rows):
            described = dependency.describe(self.connection)
            clause = owner_clause(self.owners.owner(dependency.schema))
            hint = CORE_DEPENDS if self.domain.is_core else DOMAIN_DEPENDS
            # Created in the domain's own schema, so that no other domain's run explains it.
            action = f"made {described.text}, {clause}"
            yield Violation(CROSSING, action, hint, described.names), None

    def _ran_meanwhile(self, owner: Domain) -> bool:
        """Return whether the domain's journal has new rows, written by a run of its own."""
        table = sql.Identifier(*owner.journal_table)
        params = {"name": table.as_string(self.connection.connection), "xid": self.before.xid}
        [[(exists,)]] = run_sql(self.connection, "SELECT to_regclass(%(name)s) IS NOT NULL", params)
        if not exists:
            return False
        # Verifying a domain writes a row too, and explains nothing.
        statement = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} AS x WHERE x.direction <> 'verify' AND {})"
        ).format(table, sql.SQL(written_since("x")))
        [[(ran,)]] = run_sql(self.connection, statement, params)
        return bool(ran)
