"""What a domain's migration may do to core's tables: read them, and point foreign keys at them.

To add a foreign key takes ShareRowExclusiveLock on the table that it points at, and makes
internal triggers there; to drop one takes AccessExclusiveLock. Other changes of the table take
the same locks, so what the catalogs say of it is looked at, and a lock needs a key to explain it.
"""

from __future__ import annotations

from collections.abc import Iterator

from .evidence import Evidence
from .held import READS, ROW_WRITE, Lock
from .mark import PG_CLASS
from .refusals import CORE_SHAPE, Refusal, hint_for
from .tables import read_attached, read_changed_class_rows, read_keys

KEY_MODES = frozenset(("ShareRowExclusiveLock", "AccessExclusiveLock"))
"""What adding and dropping a foreign key takes on the table that it points at."""


def on_core_tables(evidence: Evidence, tables: dict[int, list[Lock]]) -> Iterator[Refusal]:
    """Judge a domain's locks on core's tables, and on their indexes."""
    strong = [
        oid
        for oid, locks in tables.items()
        if any(lock.mode in KEY_MODES and lock.oid == oid for lock in locks)
    ]
    changed: dict[int, str] = {}
    for oid, what in _changed_otherwise(evidence, strong):
        changed.setdefault(oid, what)
    for oid, locks in tables.items():
        for lock in locks:
            if lock.mode in READS:
                continue
            if lock.mode == ROW_WRITE:
                if not _may_write(evidence, lock):
                    hint = hint_for(evidence.domain, evidence.owner(lock), shape=False)
                    yield evidence.locked(lock, hint)
            elif lock.mode not in KEY_MODES or lock.oid != oid or _was_index(evidence, lock):
                yield evidence.locked(lock, CORE_SHAPE)
            elif oid in changed:
                yield evidence.locked(lock, CORE_SHAPE, changed[oid])


def changed_tables(evidence: Evidence, tables: list[int]) -> Iterator[int]:
    """Yield the tables whose row of ``pg_class`` is not what a first foreign key makes of it."""
    rows = read_changed_class_rows(evidence.connection, evidence.now, evidence.before, tables)
    for oid, row in rows.items():
        was = evidence.past.get(PG_CLASS, oid)
        if was is None or was.row != row:
            yield oid


def _may_write(evidence: Evidence, lock: Lock) -> bool:
    writable = evidence.writable
    return writable is None or (lock.table_name or lock.name) in writable


def _was_index(evidence: Evidence, lock: Lock) -> bool:
    was = evidence.was(lock)
    return was is not None and was.kind in ("i", "I")


def _changed_otherwise(evidence: Evidence, tables: list[int]) -> Iterator[tuple[int, str]]:
    """Yield the core tables that were changed, or locked, not by a foreign key to them."""
    if not tables or not evidence.opaque:
        return  # Django's own operations can only have made or dropped a foreign key.
    own = evidence.territory.quiet
    yield from read_attached(
        evidence.connection,
        evidence.now,
        evidence.before,
        tables=tables,
        keys=own,
        referencing=[],
    )
    if not evidence.past.is_known:
        return
    for table in changed_tables(evidence, tables):
        yield table, "changed the table itself"
    locked = [lock.oid for lock in evidence.locks if lock.schema in own]
    keys = read_keys(evidence.connection, evidence.now, evidence.before, locked)
    explained = {key.target for key in keys if key.written}
    explained |= {key.table for key in evidence.dropped_keys() if key.schema in own}
    came_and_went = evidence.dropped_new_constraint()
    for table in tables:
        if table not in explained and not came_and_went:
            yield table, "no foreign key explains it"
