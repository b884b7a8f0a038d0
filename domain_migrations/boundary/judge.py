"""Which of a transaction's traces break the rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from .held import CATALOG_CHANGES, READS, ROW_WRITE, STRENGTH, Lock
from .mark import (
    PG_CLASS,
    PG_CONSTRAINT,
    PG_DEFAULT_ACL,
    PG_EVENT_TRIGGER,
    PG_EXTENSION,
    PG_NAMESPACE,
    Mark,
)
from .past import Past, Was
from .refusals import (
    CORE_SHAPE,
    CORE_USES,
    NOT_IN_PUBLIC,
    SCHEMA_NAME,
    USES,
    Refusal,
    hint_for,
    whose,
)
from .territory import Territory
from .written import (
    Key,
    Written,
    identify,
    read_attached,
    read_changed_class_rows,
    read_crossings,
    read_keys,
    read_own_functions,
    read_written,
)

EXTENSION, NEW_IN_PUBLIC, CHANGE_LOCK, WRITTEN, READ_LOCK, OBJECT_LOCK, INDEX_LOCK, CROSSING = (
    range(0, 160, 20)
)
"""Which of several traces of the same deed says most: the lowest."""

KEY_MODES = frozenset(("ShareRowExclusiveLock", "AccessExclusiveLock"))
"""What adding and dropping a foreign key takes on the table that it points at."""


class Judge:
    """Judges what a transaction has done so far.

    Arguments:
        territory: of the database before the migration.
        past: before what is judged.
        before, now: where the migration began and where it is.
        locks: held now and not before.
        writable: core's tables that the migration may write rows of; None for all.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        territory: Territory,
        past: Past,
        before: Mark,
        now: Mark,
        locks: list[Lock],
        writable: Collection[str] | None,
    ) -> None:
        self.connection = connection
        self.territory = territory
        self.domain = territory.domain
        self.past = past
        self.before = before
        self.now = now
        self.locks = locks
        self.writable = writable
        self.engine_tables = {
            (table.schema, table.name)
            for domain in territory.domains.values()
            for table in domain.own_tables
        }

    def refusals(self, *, opaque: bool) -> Iterator[Refusal]:
        """Yield what breaks the rule.

        Arguments:
            opaque: whether operations ran whose SQL is not known; without one, only what
                Django's own operations can do is looked for.
        """
        self._look_back()
        yield from self._locked_relations()
        yield from self._locked_objects()
        yield from self._crossings(opaque)
        if opaque:
            yield from self._written()

    def _look_back(self) -> None:
        """Ask the past about what may have been dropped, moved, renamed or commented on."""
        old = [
            lock
            for lock in self.locks
            if not self.now.made_since(self.before, lock.oid)
            and (lock.mode in CATALOG_CHANGES or lock.schema is None)
        ]
        in_relations = [lock for lock in old if lock.catalog in (0, PG_CONSTRAINT)]
        self.past.look(
            (lock.oid for lock in in_relations),
            (lock.oid for lock in old if lock.catalog not in (0, PG_CONSTRAINT, PG_NAMESPACE)),
        )

    def _locked_relations(self) -> Iterator[Refusal]:
        keyed: dict[int, list[Lock]] = defaultdict(list)
        for lock in self.locks:
            schema = self._schema(lock)
            if not lock.is_relation or schema is None or self.territory.is_own(schema):
                continue
            owner = self.territory.owner(schema)
            shape = lock.mode in CATALOG_CHANGES
            if owner is None and not shape:
                continue
            if self._is_new_in_public(lock, owner):
                yield Refusal(
                    NEW_IN_PUBLIC,
                    f"made {self._name(lock)}, {whose(owner)}",
                    NOT_IN_PUBLIC.format(schema=self.domain.schema),
                    lock.key,
                )
            elif owner is not None and (owner.is_core or self.domain.is_core):
                keyed[lock.table or lock.oid].append(lock)
            elif not self._is_engine_read(lock, schema):
                yield self._locked(lock, hint_for(self.domain, owner, shape=shape))
        if keyed:
            judge = self._domain_tables if self.domain.is_core else self._core_tables
            yield from judge(keyed)

    def _was(self, lock: Lock) -> Was | None:
        return self.past.get(PG_CLASS, lock.oid)

    def _schema(self, lock: Lock) -> int | None:
        """Return the schema that a relation was in, or is in if it was made since."""
        was = self._was(lock)
        return was.schema if was else lock.schema

    def _is_new_in_public(self, lock: Lock, owner: Domain | None) -> bool:
        return (
            owner is not None
            and owner.is_core
            and not self.domain.is_core
            and lock.table is None
            and self.now.made_since(self.before, lock.oid)
        )

    def _is_engine_read(self, lock: Lock, schema: int) -> bool:
        name = self.territory.names.get(schema, ""), lock.table_name or lock.name or ""
        return lock.mode in READS and name in self.engine_tables

    def _core_tables(self, tables: dict[int, list[Lock]]) -> Iterator[Refusal]:
        """Judge a domain's locks on core's tables, and on their indexes."""
        strong = [
            oid
            for oid, locks in tables.items()
            if any(lock.mode in KEY_MODES and lock.oid == oid for lock in locks)
        ]
        changed: dict[int, str] = {}
        for oid, what in self._changed_otherwise(strong):
            changed.setdefault(oid, what)
        for oid, locks in tables.items():
            for lock in locks:
                if lock.mode in READS:
                    continue
                if lock.mode == ROW_WRITE:
                    if not self._may_write(lock):
                        yield self._locked(
                            lock, hint_for(self.domain, self._owner(lock), shape=False)
                        )
                elif lock.mode not in KEY_MODES or lock.oid != oid or self._was_index(lock):
                    yield self._locked(lock, CORE_SHAPE)
                elif oid in changed:
                    yield self._locked(lock, CORE_SHAPE, changed[oid])

    def _was_index(self, lock: Lock) -> bool:
        was = self._was(lock)
        return was is not None and was.kind in ("i", "I")

    def _may_write(self, lock: Lock) -> bool:
        return self.writable is None or (lock.table_name or lock.name) in self.writable

    def _changed_otherwise(self, tables: list[int]) -> Iterator[tuple[int, str]]:
        """Yield the core tables that were changed, or locked, not by a foreign key to them."""
        if not tables:
            return
        attached = read_attached(
            self.connection,
            self.now,
            self.before,
            tables=tables,
            keys=self.territory.quiet,
            referencing=[],
        )
        yield from ((table, f"changed its {what}") for table, what in attached)
        if not self.past.is_known:
            return
        for table in self.changed_tables(tables):
            yield table, "changed the table itself"
        own = [lock.oid for lock in self.locks if lock.schema in self.territory.quiet]
        keys = read_keys(self.connection, self.now, self.before, own)
        explained = {key.target for key in keys if key.written}
        explained |= {
            key.table for key in self._dropped_keys() if key.schema in self.territory.quiet
        }
        for table in tables:
            if table not in explained:
                yield table, "no foreign key explains it"

    def changed_tables(self, tables: list[int]) -> Iterator[int]:
        """Yield core's tables whose row of ``pg_class`` is not what a foreign key makes of it."""
        rows = read_changed_class_rows(self.connection, self.now, self.before, tables)
        self.past.look(rows, ())
        for oid, row in rows.items():
            was = self.past.get(PG_CLASS, oid)
            if was is None or was.row != row:
                yield oid

    def _dropped_keys(self) -> Iterator[Was]:
        """Yield the foreign keys that are gone."""
        for lock in self.locks:
            was = self.past.get(PG_CONSTRAINT, lock.oid)
            if was and lock.catalog == PG_CONSTRAINT and lock.mode == "AccessExclusiveLock":
                if was.kind == "f":
                    yield was

    def _domain_tables(self, tables: dict[int, list[Lock]]) -> Iterator[Refusal]:
        """Judge core's locks on domains' tables: those that their foreign keys cause are fine."""
        keys: dict[int, list[Key]] = defaultdict(list)
        for key in read_keys(self.connection, self.now, self.before, list(tables)):
            keys[key.table].append(key)
        strong = [oid for oid, locks in tables.items() if _modes(locks) & CATALOG_CHANGES]
        attached = dict(
            read_attached(
                self.connection,
                self.now,
                self.before,
                tables=strong,
                keys=self.territory.foreign,
                referencing=strong,
            )
        )
        there = {(key.table, f"constraint {key.name}") for found in keys.values() for key in found}
        dropped = {
            int(key.row): key.name
            for key in self._dropped_keys()
            if (int(key.row), key.name) not in there
        }
        for oid, locks in tables.items():
            mine = keys[oid]
            allowed: set[str] = set()
            if mine and "RowShareLock" in _modes(locks):
                allowed = {"RowShareLock"}
                if any({key.on_delete, key.on_update} & set("cnd") for key in mine):
                    allowed.add(ROW_WRITE)
            if any(key.written for key in mine) and oid not in attached and oid not in dropped:
                allowed |= KEY_MODES | READS
            for lock in locks:
                index = lock.oid != oid and lock.mode in READS and bool(allowed)
                if lock.mode in allowed or index or self._is_engine_read(lock, lock.schema or 0):
                    continue
                why = f"dropped its {dropped[oid]}" if oid in dropped else ""
                yield self._locked(lock, CORE_USES, why or attached.get(oid, ""))

    def _locked_objects(self) -> Iterator[Refusal]:
        for lock in self.locks:
            if lock.is_relation or lock.mode not in CATALOG_CHANGES:
                continue
            if lock.catalog == PG_NAMESPACE:
                schema = lock.oid if lock.oid in self.territory.there else None
                name = f"schema {self.territory.names.get(lock.oid, '')}"
            else:
                was = self.past.get(lock.catalog, lock.oid)
                schema = was.schema if was else None
                name = f"{was.name} in {self.territory.names.get(was.schema)}" if was else ""
            if schema is None or self.territory.is_own(schema):
                continue
            owner = self.territory.owner(schema)
            if self.domain.is_core and lock.catalog == PG_CONSTRAINT:
                continue  # Judged with its table.
            yield Refusal(
                OBJECT_LOCK,
                f"took {lock.mode} on {name}, {whose(owner)}",
                hint_for(self.domain, owner, shape=True),
                lock.key,
            )

    def _crossings(self, opaque: bool) -> Iterator[Refusal]:
        territory = self.territory
        others = [
            oid
            for oid in territory.foreign
            if (owner := territory.owner(oid)) is not None and not owner.is_core
        ]
        if not others:
            return
        own = [oid for oid in territory.quiet if not territory.is_system(oid)]
        crossings = read_crossings(
            self.connection,
            self.now,
            self.before,
            relations=sorted({lock.oid for lock in self.locks if lock.mode in CATALOG_CHANGES}),
            functions=(
                read_own_functions(self.connection, self.now, self.before, own)
                if opaque and self.now.inserted(self.before, ["pg_depend"])
                else []
            ),
            others=others,
        )
        for crossing in crossings:
            owner = territory.owner(crossing.schema)
            user = identify(self.connection, crossing.catalog, crossing.oid, crossing.column)
            used = identify(
                self.connection, crossing.used_catalog, crossing.used_oid, crossing.used_column
            )
            yield Refusal(
                CROSSING,
                f"made {user} use {used}, {whose(owner)}",
                CORE_USES if self.domain.is_core else USES,
            )

    def _written(self) -> Iterator[Refusal]:
        written = read_written(
            self.connection,
            self.now,
            self.before,
            self.territory.quiet,
            [
                lock.oid
                for lock in self.locks
                if lock.mode in CATALOG_CHANGES and lock.schema in self.territory.quiet
            ],
        )
        self.territory.read(self.connection)
        for row in written:
            refusal = self._judge_row(row)
            if refusal:
                yield refusal

    def _judge_row(self, row: Written) -> Refusal | None:
        territory = self.territory
        rank = EXTENSION if row.catalog == PG_EXTENSION else WRITTEN
        if row.catalog == PG_EVENT_TRIGGER:
            name = identify(self.connection, row.catalog, row.oid)
            return Refusal(
                rank,
                f"made or altered {name}, which fires for every domain",
                "Leave event triggers to the database's administrator.",
            )
        if row.catalog == PG_DEFAULT_ACL and not row.schema:
            if self.domain.is_core:
                return None
            return Refusal(
                rank,
                "altered the default privileges of every schema",
                f"Add IN SCHEMA {self.domain.schema}.",
            )
        if row.catalog == PG_NAMESPACE and territory.is_own(row.schema):
            if territory.owner(row.schema) != self.domain or self._keeps_its_name(row.oid):
                return None
            return Refusal(
                rank,
                f"renamed the schema {self.domain.schema}",
                SCHEMA_NAME.format(schema=self.domain.schema),
            )
        if territory.is_own(row.schema):
            return None
        owner = territory.owner(row.schema)
        core = owner is not None and owner.is_core
        if core and row.catalog == PG_CLASS and self._explained(row.oid):
            return None
        made = self.now.made_since(self.before, row.oid)
        new_in_public = core and made and row.catalog != PG_NAMESPACE
        did = "made" if made else "altered"
        name = identify(self.connection, row.catalog, row.oid)
        if row.catalog == PG_NAMESPACE and not made:
            name = f"schema {self.territory.names[row.oid]}"
        return Refusal(
            rank,
            f"{did} {name}, {whose(owner)}",
            NOT_IN_PUBLIC.format(schema=self.domain.schema)
            if new_in_public
            else hint_for(self.domain, owner, shape=True),
        )

    def _explained(self, table: int) -> bool:
        """Whether a foreign key explains that the row of core's table was written."""
        return self.past.is_known and not list(self.changed_tables([table]))

    def _keeps_its_name(self, schema: int) -> bool:
        name = identify(self.connection, PG_NAMESPACE, schema)
        return name == f"schema {self.domain.schema}"

    def _owner(self, lock: Lock) -> Domain | None:
        return self.territory.owner(self._schema(lock) or 0)

    def _name(self, lock: Lock) -> str:
        was = self._was(lock)
        name = was.name if was else lock.name
        return f"{self.territory.names.get(self._schema(lock) or 0, '')}.{name}"

    def _locked(self, lock: Lock, hint: str, more: str = "") -> Refusal:
        rank = READ_LOCK if lock.mode in READS else CHANGE_LOCK
        if lock.table is not None:
            rank = INDEX_LOCK
        return Refusal(
            rank + len(STRENGTH) - STRENGTH[lock.mode],
            f"took {lock.mode} on {self._name(lock)}, {whose(self._owner(lock))}"
            + (f", and {more}" if more else ""),
            hint,
            lock.key,
        )


def _modes(locks: Iterable[Lock]) -> set[str]:
    return {lock.mode for lock in locks}
