"""What a migration of core may do to domains' tables: nothing but what foreign keys do.

To check that no row points at a deleted one, PostgreSQL locks the rows of the domain's table.
To change the type of a key, it makes anew the foreign keys that point at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .core_tables import KEY_MODES
from .evidence import Evidence
from .held import CATALOG_CHANGES, READS, ROW_WRITE, STRENGTH, Lock
from .refusals import CORE_KEY, CORE_USES, Refusal
from .tables import Key, read_attached, read_keys

ACTIONS = frozenset("cnd")
"""ON DELETE and ON UPDATE: cascade, set null, set default."""


def on_domain_tables(evidence: Evidence, tables: dict[int, list[Lock]]) -> Iterator[Refusal]:
    """Judge core's locks on domains' tables, and on their indexes."""
    keys: dict[int, list[Key]] = defaultdict(list)
    for key in read_keys(evidence.connection, evidence.now, evidence.before, list(tables)):
        keys[key.table].append(key)
        if key.differs:
            strongest = max(tables[key.table], key=lambda lock: STRENGTH[lock.mode])
            left = f"left it behind: {key.differs}"
            yield evidence.locked(strongest, CORE_KEY, left)
    changed = _changed_otherwise(evidence, tables, keys)
    for oid, locks in tables.items():
        allowed = _allowed(keys[oid], locks)
        if oid not in changed and any(key.written for key in keys[oid]):
            allowed |= KEY_MODES | READS
        for lock in locks:
            is_index = lock.oid != oid and lock.mode in READS and bool(allowed)
            if lock.mode not in allowed and not is_index and not evidence.is_engine_read(lock):
                yield evidence.locked(lock, CORE_USES, changed.get(oid, ""))


def _allowed(keys: list[Key], locks: list[Lock]) -> frozenset[str]:
    """Return what the database itself takes where a row of core goes or changes its key."""
    if not keys or all(lock.mode != "RowShareLock" for lock in locks):
        return frozenset()
    if any({key.on_delete, key.on_update} & ACTIONS for key in keys):
        return frozenset(("RowShareLock", ROW_WRITE))
    return frozenset(("RowShareLock",))


def _changed_otherwise(
    evidence: Evidence, tables: dict[int, list[Lock]], keys: dict[int, list[Key]]
) -> dict[int, str]:
    """Return the tables that were changed by more than making a foreign key anew, and how."""
    strong = [
        oid for oid, locks in tables.items() if any(lock.mode in CATALOG_CHANGES for lock in locks)
    ]
    there = {(key.table, f"constraint {key.name}") for found in keys.values() for key in found}
    gone = {(int(key.row), key.name) for key in evidence.dropped_keys()}
    changed = {table: f"dropped its {name}" for table, name in sorted(gone - there)}
    for table, found in keys.items():
        for key in found:
            if key.written and (table, f"constraint {key.name}") not in gone:
                changed.setdefault(table, f"changed its constraint {key.name}")
    attached = read_attached(
        evidence.connection,
        evidence.now,
        evidence.before,
        tables=[oid for oid in strong if not evidence.is_new(oid)],
        keys=evidence.territory.foreign,
        referencing=strong,
    )
    for table, what in attached:
        changed.setdefault(table, what)
    return changed
