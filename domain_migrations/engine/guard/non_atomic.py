"""The check of statements without a transaction, by the rows that they left in the catalogs.

They have committed and their locks are released, so the rows of the catalogs are all the
evidence: those newer than the migration's start, and objects that were dropped since. They do not
show who wrote them, so schemas of a domain that was migrated meanwhile are skipped. Reading another
domain's tables, and writing their rows, cannot be seen at all.
"""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ..boundary.schema_owners import SchemaOwners
from ..sessions.advisory_locks import running_domains
from ..sessions.concurrent_indexes import concurrent_target
from ..sql.query import run_sql
from .catalog_before import CLASS_ROW, PG_CLASS
from .catalog_changes import NOT_ALLOWED, ChangedObject, Source, catalog_queries, select_objects
from .dependencies import CrossSchemaDependency, dependency_sql
from .transaction import WRITTEN_SINCE, TransactionPoint
from .violations import Description, Priority, Violation, hint_for

TABLE_PARTS: tuple[Source, ...] = (
    ("pg_class", "c.oid", "c.relnamespace",
     "pg_trigger x JOIN pg_class c ON c.oid = x.tgrelid AND NOT x.tgisinternal"),
    ("pg_class", "c.oid", "c.relnamespace",
     "pg_constraint x JOIN pg_class c ON c.oid = x.conrelid"),
)  # fmt: skip

SELECT_CHANGED: LiteralString = " UNION ALL ".join([
    *catalog_queries(WRITTEN_SINCE).values(),
    *(select_objects(source, WRITTEN_SINCE) for source in TABLE_PARTS),
])  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT x.oid, x.relnamespace, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.relnamespace" + NOT_ALLOWED + " AND " + WRITTEN_SINCE
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

SELECT_DEPENDENCIES = dependency_sql(WRITTEN_SINCE)

SELECT_OWN: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, oid FROM pg_class WHERE relnamespace = ANY(%(own)s::oid[])"
    " AND relkind NOT IN ('i', 'I', 't')"
    " UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc"
    " WHERE pronamespace = ANY(%(own)s::oid[])"
    " UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type"
    " WHERE typnamespace = ANY(%(own)s::oid[]) AND typtype = 'd'"
    " UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config"
    " WHERE cfgnamespace = ANY(%(own)s::oid[])"
)

SELECT_TARGET: LiteralString = """
SELECT relnamespace, relname FROM pg_class WHERE oid = to_regclass(%(name)s)
"""

MAINTENANCE = re.compile(
    r"\s*(?:VACUUM|REINDEX|CLUSTER|CHECKPOINT|DISCARD|REFRESH\s+MATERIALIZED)\b", re.IGNORECASE
)
"""Statements that neither create nor drop an object."""

Found = Iterator[tuple[Violation, Domain | None]]
"""Violations, and the domain whose own run would explain each; None where no run would."""


class ConcurrentTarget(NamedTuple):
    """The relation that a statement works on concurrently: a table or an index."""

    schema: int
    name: str

    def to_violation(self, owners: SchemaOwners) -> Violation:
        """Return the violation of working on another's relation."""
        names = owners.names[self.schema], self.name
        owner = owners.owner(self.schema)
        what = Description(".".join(names), frozenset(names))
        hint = hint_for(owners.domain, owner)
        return Violation.of(Priority.CHANGE_LOCK, "would change", what, owner, hint)


class NonAtomicCheck:
    """Compares the catalogs after operations with the point where the migration began.

    Arguments:
        owners: the owners of the schemas, as they were before the migration.
        custom_sql: whether the migration has operations with custom SQL, so that the other
            domains' relations have to be remembered.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, owners: SchemaOwners, *, custom_sql: bool
    ) -> None:
        self.connection = connection
        self.owners = owners
        # A run that ends before it is looked for was there at the start, or has a newer row.
        self.running = running_domains(connection, owners.domains.values())
        self.before, _ = TransactionPoint.at_start(connection)
        self.relations: dict[int, tuple[int, str, str | None]] = {}
        if custom_sql:
            [rows] = run_sql(connection, SELECT_RELATIONS, {"foreign": owners.forbidden})
            self.relations = {oid: (schema, name, row) for oid, schema, name, row in rows}

    def find_violations(self, *, custom_sql: bool, creates: bool) -> Iterator[Violation]:
        """Yield what breaks the boundary, as far as it can be seen.

        Arguments:
            custom_sql: whether operations ran whose SQL is unknown; Django's own can only make
                the domain's tables depend on something.
            creates: whether that SQL may have created or dropped something; what other sessions
                created and dropped meanwhile looks the same.
        """
        self.owners.read(self.connection)
        found = self._dependencies()
        if custom_sql:
            dropped = self._dropped() if creates else iter(())
            found = itertools.chain(self._changed(creates=creates), dropped, found)
        ran_meanwhile = functools.cache(self._ran_meanwhile)
        for violation, owner in found:
            if owner is None or not ran_meanwhile(owner):
                yield violation

    def _changed(self, *, creates: bool) -> Found:
        """Yield objects outside the domain that are newer than the migration's start."""
        owners, params = self.owners, {"xid": self.before.xid, "allowed": self.owners.allowed}
        [rows] = run_sql(self.connection, SELECT_CHANGED, params)
        changed = [ChangedObject(*row) for row in rows]
        [rows] = run_sql(self.connection, SELECT_CHANGED_RELATIONS, params)
        for oid, schema, row in rows:
            if oid not in self.relations or self.relations[oid][2] != row:
                changed.append(ChangedObject(PG_CLASS, oid, schema))
        for found in changed:
            made = found.oid > self.before.next_oid
            if found.schema and not owners.is_own(found.schema) and (creates or not made):
                violation = found.to_violation(self.connection, owners, Priority.NEWER, made=made)
                yield violation, owners.owner(found.schema)

    def _dropped(self) -> Found:
        """Yield other domains' relations that exist no longer, or moved to this one."""
        params = {"allowed": self.owners.allowed, "relations": list(self.relations)}
        [rows] = run_sql(self.connection, SELECT_DROPPED, params)
        for (oid,) in rows:
            schema_oid, name, _ = self.relations[oid]
            owner, schema = self.owners.owner(schema_oid), self.owners.names[schema_oid]
            what = Description(f"{schema}.{name}", frozenset((schema, name)))
            hint = hint_for(self.owners.domain, owner)
            yield Violation.of(Priority.MOVED, "dropped or moved", what, owner, hint), owner

    def _dependencies(self) -> Found:
        """Yield the domain's objects that now depend on another domain's."""
        [rows] = run_sql(self.connection, SELECT_OWN, {"own": self.owners.own})
        now, _ = TransactionPoint.at_start(self.connection)
        params = {
            **now.params(self.before),
            "relations": [oid for catalog, oid in rows if catalog == PG_CLASS],
            "catalogs": [catalog for catalog, _ in rows],
            "objects": [oid for _, oid in rows],
            "others": self.owners.other_domains,
            "xid": self.before.xid,
        }
        [rows] = run_sql(self.connection, SELECT_DEPENDENCIES, params)
        for dependency in map(CrossSchemaDependency._make, rows):
            # In the domain's own schema no other domain's run creates anything.
            if dependency.user_schema is None or self.owners.is_own(dependency.user_schema):
                owner = None if dependency.user_schema else self.owners.owner(dependency.schema)
                yield dependency.to_violation(self.connection, self.owners), owner

    def find_target(self, statement: str) -> ConcurrentTarget | None:
        """Return the relation that a concurrent statement is about, if it names one that exists."""
        name = concurrent_target(statement)
        if name is None:
            return None
        [rows] = run_sql(self.connection, SELECT_TARGET, {"name": name})
        return ConcurrentTarget(*rows[0]) if rows else None

    def _ran_meanwhile(self, owner: Domain) -> bool:
        """Return whether the domain was migrated, by its lock or by new rows of its journal."""
        if owner.name in self.running | running_domains(self.connection, [owner]):
            return True
        table = sql.Identifier(*owner.journal_table)
        params = {"name": table.as_string(self.connection.connection), "xid": self.before.xid}
        [[(exists,)]] = run_sql(self.connection, "SELECT to_regclass(%(name)s) IS NOT NULL", params)
        if not exists:
            return False
        # Verifying a domain writes a row too, and explains nothing.
        statement = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} AS x WHERE x.direction <> 'verify' AND {})"
        ).format(table, sql.SQL(WRITTEN_SINCE))
        [[(ran,)]] = run_sql(self.connection, statement, params)
        return bool(ran)
