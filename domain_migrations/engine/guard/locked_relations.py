"""The guard's rules for relations: which locks outside of the domain's own schemas are refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..boundary.rule import CORE_DEPENDS
from .catalog_changes import (
    ForeignKey,
    part_change,
    read_changed_class_rows,
    read_foreign_keys,
    read_table_changes,
)
from .held_locks import DDL_MODES, INDEXES, LOCK_STRENGTH, READ_MODES, WRITE_MODE, HeldLock
from .transaction import TransactionView
from .violations import (
    CORE_KEY,
    CORE_ROWS,
    CORE_SHAPE,
    NOT_IN_PUBLIC,
    Description,
    Priority,
    Violation,
    hint_for,
)

KEY_MODES = frozenset(("ShareRowExclusiveLock", "AccessExclusiveLock"))
"""The locks that adding and dropping a foreign key takes on the table that it points at."""

WRITING_ACTIONS = frozenset("cnd")
"""ON DELETE and ON UPDATE: cascade, set null, set default."""

TableLocks = dict[int, list[HeldLock]]
"""The locks on each table and on its indexes."""


def find_locked_relations(view: TransactionView) -> Iterator[Violation]:
    """Judge locks on relations outside the domain's own schemas."""
    tables: TableLocks = defaultdict(list)
    for lock in view.locks:
        schema = view.as_before(lock).schema
        if not lock.is_relation or schema is None or view.owners.is_own(schema):
            continue
        owner = view.owners.owner(schema)
        if owner is None and lock.mode not in DDL_MODES:
            continue  # Objects without an owner may be used, as extensions' schemas are.
        if owner is not None and owner.is_core and lock.table is None and view.was_made(lock):
            what, hint = view.describe(lock), NOT_IN_PUBLIC.format(schema=view.domain.schema)
            yield Violation.of(Priority.NEW_IN_PUBLIC, "made", what, owner, hint)
        elif owner is not None and (owner.is_core or view.domain.is_core):
            tables[lock.table or lock.oid].append(lock)
        elif not view.is_engine_read(lock):
            yield _lock_violation(view, lock, hint_for(view.domain, owner))
    if tables:
        judge = _locked_domain_tables if view.domain.is_core else _locked_core_tables
        yield from judge(view, tables)


def _locked_core_tables(view: TransactionView, tables: TableLocks) -> Iterator[Violation]:
    """Judge a domain's locks on core's tables, and on their indexes.

    A foreign key to the table may be created or dropped. Rows may be read, and written where the
    migration says so.
    """
    strong = [
        oid
        for oid, locks in tables.items()
        if any(lock.mode in KEY_MODES and lock.oid == oid for lock in locks)
    ]
    changes: dict[int, Description] = {}
    for oid, change in _changed_core_tables(view, strong):
        changes.setdefault(oid, change)
    for oid, locks in tables.items():
        for lock in locks:
            if lock.mode in READ_MODES:
                continue
            if lock.mode == WRITE_MODE:
                name = lock.table_name or lock.name
                if view.writable is not None and name not in view.writable:
                    yield _lock_violation(view, lock, CORE_ROWS)
                continue
            is_of_table = lock.oid == oid and view.as_before(lock).kind not in INDEXES
            if not is_of_table or lock.mode not in KEY_MODES:
                yield _lock_violation(view, lock, CORE_SHAPE)
            elif oid in changes:
                yield _lock_violation(view, lock, CORE_SHAPE, changes[oid])


def _changed_core_tables(
    view: TransactionView, tables: list[int]
) -> Iterator[tuple[int, Description]]:
    """Yield the core tables that were changed or locked, but not by a foreign key to them."""
    if not tables or not view.custom_sql:
        return  # Django's own operations can only have created or dropped a foreign key.
    own = view.owners.allowed
    yield from read_table_changes(view, tables=tables, keys=own, referencing=[])
    if not view.catalog_before.is_known:
        return
    for table in read_changed_class_rows(view, tables):
        yield table, Description("changed the table itself")
    locked = [lock.oid for lock in view.locks if lock.schema in own]
    explained = {key.target for key in read_foreign_keys(view, locked) if key.written}
    explained |= {key.target for key in view.dropped_foreign_keys() if key.schema in own}
    # Of a constraint that was both created and dropped, nothing is known.
    if not any(view.is_new(lock.oid) for lock in view.dropped_constraints()):
        for table in tables:
            if table not in explained:
                yield table, Description("no foreign key explains it")


def _locked_domain_tables(view: TransactionView, tables: TableLocks) -> Iterator[Violation]:
    """Judge core's locks on domains' tables, and on their indexes.

    The database itself takes some of them where core's rows change, and a foreign key to core
    may be created again.
    """
    keys: dict[int, list[ForeignKey]] = defaultdict(list)
    for key in read_foreign_keys(view, list(tables)):
        keys[key.table].append(key)
        if key.type_mismatch:
            column, column_type, target, target_type = key.type_mismatch
            text = f"left it behind: {column} ({column_type}) refers to {target} ({target_type})"
            strongest = max(tables[key.table], key=lambda lock: LOCK_STRENGTH[lock.mode])
            mismatch = Description(text, frozenset((column, target)))
            yield _lock_violation(view, strongest, CORE_KEY, mismatch)
    changes = _changed_domain_tables(view, tables, keys)
    for oid, locks in tables.items():
        allowed = _modes_of_foreign_keys(keys[oid], locks)
        if oid not in changes and any(key.written for key in keys[oid]):
            allowed |= KEY_MODES | READ_MODES
        for lock in locks:
            is_index_read = lock.oid != oid and lock.mode in READ_MODES and bool(allowed)
            if lock.mode not in allowed and not is_index_read and not view.is_engine_read(lock):
                yield _lock_violation(view, lock, CORE_DEPENDS, changes.get(oid))


def _modes_of_foreign_keys(keys: list[ForeignKey], locks: list[HeldLock]) -> frozenset[str]:
    """Return the locks that the database takes where a row of core goes or changes its key."""
    if not keys or all(lock.mode != "RowShareLock" for lock in locks):
        return frozenset()
    if any({key.on_delete, key.on_update} & WRITING_ACTIONS for key in keys):
        return frozenset(("RowShareLock", WRITE_MODE))
    return frozenset(("RowShareLock",))


def _changed_domain_tables(
    view: TransactionView, tables: TableLocks, keys: dict[int, list[ForeignKey]]
) -> dict[int, Description]:
    """Return the tables that were changed by more than creating a foreign key again, and how."""
    strong = [oid for oid, locks in tables.items() if any(lock.mode in DDL_MODES for lock in locks)]
    present = {(key.table, key.name) for found in keys.values() for key in found}
    dropped = {(int(key.row), key.name) for key in view.dropped_foreign_keys()}
    changes = {
        table: part_change("dropped", "constraint", name)
        for table, name in sorted(dropped - present)
    }
    for table, found in keys.items():
        for key in found:
            if key.written and (table, key.name) not in dropped:
                changes.setdefault(table, part_change("changed", "constraint", key.name))
    for table, change in read_table_changes(
        view,
        tables=[oid for oid in strong if not view.is_new(oid)],
        keys=view.owners.forbidden,
        referencing=strong,
    ):
        changes.setdefault(table, change)
    return changes


def _lock_violation(
    view: TransactionView, lock: HeldLock, hint: str, change: Description | None = None
) -> Violation:
    """Return a lock on a relation as a violation; a stronger lock has a higher priority."""
    priority = Priority.READ_LOCK if lock.mode in READ_MODES else Priority.CHANGE_LOCK
    if lock.table is not None:
        priority = Priority.INDEX_LOCK
    # Where a cascade has locked a table and its dependents, the table is reported.
    is_dependent = view.as_before(lock).kind not in ("r", "p")
    weakness = len(LOCK_STRENGTH) - LOCK_STRENGTH[lock.mode]
    owner = view.owners.owner(view.as_before(lock).schema or 0)
    violation = Violation.of(
        priority + 2 * weakness + is_dependent,
        f"took {lock.mode} on",
        view.describe(lock),
        owner,
        hint,
    )
    if change is None:
        return violation
    action, names = f"{violation.action}, and {change.text}", violation.names | change.names
    return violation._replace(action=action, names=names)
