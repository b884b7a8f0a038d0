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
from ..boundary.rule import CORE_USES, USES, whose
from ..boundary.schema_owners import Territory
from ..sql.query import query
from .catalog_before import CLASS_ROW
from .catalog_changes import crossings, identify, small_catalogs
from .transaction import PG_CLASS, Mark, since
from .violations import NOT_IN_PUBLIC, Refusal, hint_for

SELECT_CHANGED: LiteralString = (
    " UNION ALL ".join(small_catalogs(since).values())
    + " UNION ALL SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace <> ALL(%(quiet)s::oid[])"
    " AND " + since("x")
    + " UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_attribute x"
    " JOIN pg_class c ON c.oid = x.attrelid"
    " WHERE c.relnamespace <> ALL(%(quiet)s::oid[]) AND c.relkind <> 't' AND " + since("x")
    + " UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_trigger x"
    " JOIN pg_class c ON c.oid = x.tgrelid"
    " WHERE c.relnamespace <> ALL(%(quiet)s::oid[]) AND NOT x.tgisinternal AND " + since("x")
    + " UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_constraint x"
    " JOIN pg_class c ON c.oid = x.conrelid"
    " WHERE c.relnamespace <> ALL(%(quiet)s::oid[]) AND " + since("x")
)  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT x.oid, x.relnamespace, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.relnamespace <> ALL(%(quiet)s::oid[]) AND x.relkind <> 't' AND " + since("x")
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

SELECT_CROSSINGS = crossings(since)

SELECT_OWN: LiteralString = (
    "SELECT 'relation', oid FROM pg_class WHERE relnamespace = ANY(%(own)s::oid[])"
    " AND relkind NOT IN ('i', 'I', 't')"
    " UNION ALL SELECT 'function', oid FROM pg_proc WHERE pronamespace = ANY(%(own)s::oid[])"
)


class Aftermath:
    """Looks at the catalogs after operations that ran without a transaction.

    Arguments:
        territory: of the database before the migration.
        before: where the migration began.
        opaque: whether the migration has operations with SQL of their own.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        territory: Territory,
        before: Mark,
        *,
        opaque: bool,
    ) -> None:
        self.connection = connection
        self.territory = territory
        self.domain = territory.domain
        self.before = before
        self.relations: dict[int, tuple[int, str, str | None]] = {}
        if opaque:
            [rows] = query(connection, SELECT_RELATIONS, {"foreign": territory.foreign})
            self.relations = {oid: (schema, name, row) for oid, schema, name, row in rows}

    def refusals(self, *, opaque: bool) -> Iterator[Refusal]:
        """Yield what breaks the rule, as far as it can be seen.

        Arguments:
            opaque: whether operations ran whose SQL is not known; Django's own can only make
                the domain's tables depend on something.
        """
        self.territory.read(self.connection)
        busy: dict[str, bool] = {}
        for refusal, owner in self._findings() if opaque else self._crossings():
            if owner is not None and owner.name not in busy:
                busy[owner.name] = self._is_busy(owner)
            if owner is None or not busy[owner.name]:
                yield refusal

    def _findings(self) -> Iterator[tuple[Refusal, Domain | None]]:
        params = {
            "top": self.before.top,
            "quiet": self.territory.quiet,
            "relations": list(self.relations),
        }
        [rows] = query(self.connection, SELECT_CHANGED, params)
        for catalog, oid, schema in rows:
            if not self.territory.is_own(schema) and schema:
                yield self._changed(catalog, oid, schema)
        [rows] = query(self.connection, SELECT_CHANGED_RELATIONS, params)
        for oid, schema, row in rows:
            if oid not in self.relations or self.relations[oid][2] != row:
                yield self._changed(PG_CLASS, oid, schema)
        [rows] = query(self.connection, SELECT_GONE, params)
        for (oid,) in rows:
            schema, name, _ = self.relations[oid]
            owner = self.territory.owner(schema)
            did = f"dropped or moved {self.territory.names[schema]}.{name}, {whose(owner)}"
            yield Refusal(1, did, hint_for(self.domain, owner, shape=True)), owner
        yield from self._crossings()

    def _crossings(self) -> Iterator[tuple[Refusal, Domain | None]]:
        own = [oid for oid in self.territory.quiet if not self.territory.is_system(oid)]
        [rows] = query(self.connection, SELECT_OWN, {"own": own})
        now, _ = Mark.at_start(self.connection)
        params = {
            **now.params(self.before),
            "top": self.before.top,
            "relations": [oid for kind, oid in rows if kind == "relation"],
            "functions": [oid for kind, oid in rows if kind == "function"],
            "others": [oid for oid in self.territory.foreign if oid != self.territory.core],
        }
        [rows] = query(self.connection, SELECT_CROSSINGS, params)
        for catalog, oid, column, used_catalog, used_oid, used_column, schema, _ in rows:
            owner = self.territory.owner(schema)
            user = identify(self.connection, catalog, oid, column)
            used = identify(self.connection, used_catalog, used_oid, used_column)
            # Made in the domain's own schema, so nobody else's run explains it.
            yield (
                Refusal(
                    2,
                    f"made {user} use {used}, {whose(owner)}",
                    CORE_USES if self.domain.is_core else USES,
                ),
                None,
            )

    def _changed(self, catalog: int, oid: int, schema: int) -> tuple[Refusal, Domain | None]:
        owner = self.territory.owner(schema)
        made = oid > self.before.oid
        new_in_public = owner is not None and owner.is_core and made and oid != schema
        hint = hint_for(self.domain, owner, shape=True)
        name = identify(self.connection, catalog, oid)
        # An index cannot be made elsewhere than beside its table.
        if new_in_public and not name.startswith("index "):
            hint = NOT_IN_PUBLIC.format(schema=self.domain.schema)
        return Refusal(3, f"{'made' if made else 'altered'} {name}, {whose(owner)}", hint), owner

    def _is_busy(self, owner: Domain) -> bool:
        """Whether the domain's journal got rows meanwhile, so that a run of its own was on."""
        table = sql.Identifier(*owner.journal_table)
        exists = "SELECT to_regclass(%(name)s) IS NOT NULL"
        name = sql.Identifier(*owner.journal_table).as_string(self.connection.connection)
        [[(there,)]] = query(self.connection, exists, {"name": name})
        if not there:
            return False
        # To verify a domain writes a row too, and explains nothing.
        statement = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} AS x WHERE x.direction <> 'verify' AND {})"
        ).format(table, sql.SQL(since("x")))
        [[(busy,)]] = query(self.connection, statement, {"top": self.before.top})
        return bool(busy)
