"""The locks of a transaction on the nodes of a cluster, as locks on the coordinator's tables.

What a trigger, a foreign key or a function does to the rows of a shard is done on its node, and the
coordinator has no lock for it. A node is asked as seldom as possible: after rows were written, and
at the end of a migration that may have called functions there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import LiteralString

from ...domains import QualifiedName
from ..boundary.schema_owners import SchemaOwners
from ..cluster.coordinator_session import ClusterSession
from ..cluster.node_locks import NodeLock
from ..sql.query import run_sql
from .held_locks import DDL_MODES, READ_MODES, HeldLock, LockKey

OPENED = "AccessShareLock"
"""What Citus takes on the shards of a statement, whatever the statement does with them."""

SHARD_NAME = re.compile(r"_(\d{1,18})\Z")

TABLES_OF_SHARDS: LiteralString = """
SELECT s.shardid, c.relnamespace, c.oid, c.relkind::text, c.relname
FROM pg_catalog.pg_dist_shard s
JOIN pg_catalog.pg_class c ON c.oid = s.logicalrelid
WHERE s.shardid = ANY(%(shards)s::bigint[])
"""

RELATIONS: LiteralString = """
SELECT w.schema, w.name, n.oid, coalesce(c.oid, 0), coalesce(c.relkind::text, 'r')
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
"""


class LocksOnNodes:
    """What the guard of a domain's run knows of the nodes.

    Attributes:
        seen: the locks that the transaction had on the nodes whenever they were asked.
    """

    def __init__(self, session: ClusterSession) -> None:
        self.session = session
        self.seen: frozenset[LockKey] = frozenset()
        self._asking: frozenset[LockKey] = frozenset()

    def begin(self, *, shared: bool) -> frozenset[LockKey]:
        """Return what was seen of the transaction before a migration begins in it.

        Arguments:
            shared: whether other migrations may have run in it.
        """
        if not shared:
            self.seen = self._asking = frozenset()
        return self.seen

    def as_tables(self, held: Iterable[HeldLock]) -> list[HeldLock]:
        """Return the coordinator's own locks, those on its shards as locks on their tables."""
        held = list(held)
        shards = {lock: number for lock in held if (number := _shard_number(lock)) is not None}
        if not shards:
            return held
        params = {"shards": sorted(set(shards.values()))}
        [rows] = run_sql(self.session.connection, TABLES_OF_SHARDS, params)
        tables = {(shard, schema): rest for shard, schema, *rest in rows}
        found: dict[HeldLock, None] = {}
        opened: dict[HeldLock, None] = {}
        for lock in held:
            table = tables.get((shards.get(lock, 0), lock.schema))
            if table is None:
                found[lock] = None
                continue
            oid, kind, name = table
            changed = lock._replace(oid=oid, kind=kind, name=name)
            (opened if lock.mode == OPENED else found)[changed] = None
        locked = {lock.oid for lock in found}
        found.update((lock, None) for lock in opened if lock.oid not in locked)
        return list(found)

    def added_to(
        self,
        held: list[HeldLock],
        owners: SchemaOwners,
        *,
        writes_core: bool,
        may_be_unseen: bool,
        may_call: bool,
        last: bool,
    ) -> list[HeldLock]:
        """Return the coordinator's locks with those that the nodes have beyond them.

        Arguments:
            writes_core: whether core's rows may be written, on all nodes.
            may_be_unseen: whether rows may have been written past Django's cursors, by a COPY.
            may_call: whether operations ran that may have called functions.
            last: whether the transaction ends; then what is deferred is checked first.
        """
        held = [lock for lock in held if lock.key not in self._asking]
        session = self.session
        if may_be_unseen:
            session.has_written = session.has_unread = True
        changes_core = writes_core and (
            session.has_written or self._changes_reference_tables(held, owners)
        )
        may_differ = changes_core or (may_call and not owners.domain.is_core)
        if not (session.has_unread or (last and (session.has_written or may_differ))):
            return held
        found, tables = session.read_locks(everywhere=changes_core, check=last)
        self._asking |= {(0, table, OPENED) for table in tables}
        on_nodes = [
            lock
            for lock in self._to_held(self._done(found, owners), owners)
            if lock.key not in self._asking
        ]
        self.seen |= {lock.key for lock in on_nodes}
        known = {lock.key for lock in held}
        # Changes of tables come from the coordinator, where they are judged.
        changed = {lock.oid for lock in held if lock.mode in DDL_MODES}
        return held + [
            lock
            for lock in on_nodes
            if lock.key not in known and not (lock.mode in DDL_MODES and lock.oid in changed)
        ]

    def _changes_reference_tables(self, held: Iterable[HeldLock], owners: SchemaOwners) -> bool:
        tables: Collection[tuple[str, str]] = self.session.cluster.reference_tables
        return any(
            lock.mode not in READ_MODES
            and (owners.names.get(lock.schema or 0, ""), lock.name) in tables
            for lock in held
        )

    def _done(self, found: Iterable[NodeLock], owners: SchemaOwners) -> Iterator[NodeLock]:
        """Yield the locks without those that Citus and the engine take to read."""
        found = list(found)
        strong = {(lock.schema, lock.name) for lock in found if lock.mode != OPENED}
        engine = {name for domain in owners.domains.values() for name in domain.engine_tables}
        for lock in found:
            name = QualifiedName(lock.schema, lock.name)
            is_opened = lock.mode == OPENED and name in strong
            if not is_opened and not (lock.mode in READ_MODES and name in engine):
                yield lock

    def _to_held(self, found: Iterable[NodeLock], owners: SchemaOwners) -> Iterator[HeldLock]:
        """Yield the locks with the coordinator's oids, 0 for what is on a node only."""
        locks = set(found)
        if not locks:
            return
        names = sorted({(lock.schema, lock.name) for lock in locks})
        params = {"schemas": [one for one, _ in names], "names": [name for _, name in names]}
        [rows] = run_sql(self.session.connection, RELATIONS, params)
        relations = {(schema, name): rest for schema, name, *rest in rows}
        for lock in sorted(locks):
            if (lock.schema, lock.name) in relations:
                schema, oid, kind = relations[lock.schema, lock.name]
                yield HeldLock(True, 0, oid, lock.mode, schema, kind, lock.name, None, None)


def _shard_number(lock: HeldLock) -> int | None:
    """Return the number at the end of a relation's name, which may be that of a shard."""
    if not lock.is_relation or lock.table is not None or lock.name is None:
        return None
    number = SHARD_NAME.search(lock.name)
    return int(number[1]) if number else None
