"""Which of a transaction's traces break the rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS, owner_clause
from .catalog_changes import (
    ChangedObject,
    ForeignKey,
    describe_object,
    read_changed_class_rows,
    read_changed_objects,
    read_dependencies,
    read_keys,
    read_own_functions,
    read_table_changes,
)
from .evidence import TransactionView
from .transaction import (
    DDL_MODES,
    LOCK_STRENGTH,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_DEFAULT_ACL,
    PG_EVENT_TRIGGER,
    PG_EXTENSION,
    PG_NAMESPACE,
    READ_MODES,
    WRITE_MODE,
    HeldLock,
)
from .violations import (
    CORE_KEY,
    CORE_SHAPE,
    CROSSING,
    EXTENSION,
    MOVED,
    NEW_IN_PUBLIC,
    NOT_IN_PUBLIC,
    OBJECT_LOCK,
    SCHEMA_NAME,
    WRITTEN,
    Violation,
    hint_for,
)

KEY_MODES = frozenset(("ShareRowExclusiveLock", "AccessExclusiveLock"))
"""What adding and dropping a foreign key takes on the table that it points at."""


def core_table_violations(
    evidence: TransactionView, tables: dict[int, list[HeldLock]]
) -> Iterator[Violation]:
    """Judge a domain's locks on core's tables, and on their indexes."""
    strong = [
        oid
        for oid, locks in tables.items()
        if any(lock.mode in KEY_MODES and lock.oid == oid for lock in locks)
    ]
    changed: dict[int, str] = {}
    for oid, what in _changed_core_tables(evidence, strong):
        changed.setdefault(oid, what)
    for oid, locks in tables.items():
        for lock in locks:
            if lock.mode in READ_MODES:
                continue
            if lock.mode == WRITE_MODE:
                if not _may_write(evidence, lock):
                    hint = hint_for(evidence.domain, evidence.owner(lock), shape=False)
                    yield evidence.lock_violation(lock, hint)
            elif lock.mode not in KEY_MODES or lock.oid != oid or _was_index(evidence, lock):
                yield evidence.lock_violation(lock, CORE_SHAPE)
            elif oid in changed:
                yield evidence.lock_violation(lock, CORE_SHAPE, changed[oid])


def changed_tables(evidence: TransactionView, tables: list[int]) -> Iterator[int]:
    """Yield the tables whose row of ``pg_class`` is not what a first foreign key makes of it."""
    rows = read_changed_class_rows(evidence.connection, evidence.now, evidence.before, tables)
    for oid, row in rows.items():
        was = evidence.catalog_before.get(PG_CLASS, oid)
        if was is None or was.row != row:
            yield oid


def _may_write(evidence: TransactionView, lock: HeldLock) -> bool:
    writable = evidence.writable
    return writable is None or (lock.table_name or lock.name) in writable


def _was_index(evidence: TransactionView, lock: HeldLock) -> bool:
    was = evidence.previous(lock)
    return was is not None and was.kind in ("i", "I")


def _changed_core_tables(evidence: TransactionView, tables: list[int]) -> Iterator[tuple[int, str]]:
    """Yield the core tables that were changed, or locked, not by a foreign key to them."""
    if not tables or not evidence.custom_sql:
        return  # Django's own operations can only have made or dropped a foreign key.
    own = evidence.owners.allowed
    yield from read_table_changes(
        evidence.connection,
        evidence.now,
        evidence.before,
        tables=tables,
        keys=own,
        referencing=[],
    )
    if not evidence.catalog_before.is_known:
        return
    for table in changed_tables(evidence, tables):
        yield table, "changed the table itself"
    locked = [lock.oid for lock in evidence.locks if lock.schema in own]
    keys = read_keys(evidence.connection, evidence.now, evidence.before, locked)
    explained = {key.target for key in keys if key.written}
    explained |= {key.table for key in evidence.dropped_keys() if key.schema in own}
    came_and_went = evidence.dropped_transient_constraint()
    for table in tables:
        if table not in explained and not came_and_went:
            yield table, "no foreign key explains it"


ACTIONS = frozenset("cnd")
"""ON DELETE and ON UPDATE: cascade, set null, set default."""


def domain_table_violations(
    evidence: TransactionView, tables: dict[int, list[HeldLock]]
) -> Iterator[Violation]:
    """Judge core's locks on domains' tables, and on their indexes."""
    keys: dict[int, list[ForeignKey]] = defaultdict(list)
    for key in read_keys(evidence.connection, evidence.now, evidence.before, list(tables)):
        keys[key.table].append(key)
        if key.type_mismatch:
            strongest = max(tables[key.table], key=lambda lock: LOCK_STRENGTH[lock.mode])
            left = f"left it behind: {key.type_mismatch}"
            yield evidence.lock_violation(strongest, CORE_KEY, left)
    changed = _changed_domain_tables(evidence, tables, keys)
    for oid, locks in tables.items():
        allowed = _allowed(keys[oid], locks)
        if oid not in changed and any(key.written for key in keys[oid]):
            allowed |= KEY_MODES | READ_MODES
        for lock in locks:
            is_index = lock.oid != oid and lock.mode in READ_MODES and bool(allowed)
            if lock.mode not in allowed and not is_index and not evidence.is_engine_read(lock):
                yield evidence.lock_violation(lock, CORE_DEPENDS, changed.get(oid, ""))


def _allowed(keys: list[ForeignKey], locks: list[HeldLock]) -> frozenset[str]:
    """Return what the database itself takes where a row of core goes or changes its key."""
    if not keys or all(lock.mode != "RowShareLock" for lock in locks):
        return frozenset()
    if any({key.on_delete, key.on_update} & ACTIONS for key in keys):
        return frozenset(("RowShareLock", WRITE_MODE))
    return frozenset(("RowShareLock",))


def _changed_domain_tables(
    evidence: TransactionView, tables: dict[int, list[HeldLock]], keys: dict[int, list[ForeignKey]]
) -> dict[int, str]:
    """Return the tables that were changed by more than making a foreign key anew, and how."""
    strong = [oid for oid, locks in tables.items() if any(lock.mode in DDL_MODES for lock in locks)]
    there = {(key.table, f"constraint {key.name}") for found in keys.values() for key in found}
    gone = {(int(key.row), key.name) for key in evidence.dropped_keys()}
    changed = {table: f"dropped its {name}" for table, name in sorted(gone - there)}
    for table, found in keys.items():
        for key in found:
            if key.written and (table, f"constraint {key.name}") not in gone:
                changed.setdefault(table, f"changed its constraint {key.name}")
    attached = read_table_changes(
        evidence.connection,
        evidence.now,
        evidence.before,
        tables=[oid for oid in strong if not evidence.is_new(oid)],
        keys=evidence.owners.forbidden,
        referencing=strong,
    )
    for table, what in attached:
        changed.setdefault(table, what)
    return changed


def catalog_row_violations(evidence: TransactionView, changed: list[int]) -> Iterator[Violation]:
    """Judge functions, types, grants and all else that no lock tells of.

    Arguments:
        changed: the domain's relations that the transaction may have changed.
    """
    rows = read_changed_objects(
        evidence.connection, evidence.now, evidence.before, evidence.owners.allowed, changed
    )
    if rows:
        evidence.owners.read(evidence.connection)
    for row in rows:
        refusal = _row_violation(evidence, row)
        if refusal:
            yield refusal


def _row_violation(evidence: TransactionView, row: ChangedObject) -> Violation | None:
    territory, domain = evidence.owners, evidence.domain
    if row.catalog == PG_EVENT_TRIGGER:
        name = describe_object(evidence.connection, row.catalog, row.oid)
        return Violation(
            WRITTEN,
            f"made or altered {name}, which fires for every domain",
            "Leave event triggers to the database's administrator.",
        )
    if row.catalog == PG_DEFAULT_ACL and not row.schema:
        hint = f"Add IN SCHEMA {domain.schema}."
        did = "altered the default privileges of every schema"
        return None if domain.is_core else Violation(WRITTEN, did, hint)
    if territory.is_own(row.schema):
        return _own_schema_violation(evidence, row)
    owner = territory.owner(row.schema)
    core = owner is not None and owner.is_core
    if core and row.catalog == PG_CLASS and _is_explained(evidence, row.oid):
        return None
    made = evidence.is_new(row.oid)
    hint = hint_for(domain, owner, shape=True)
    if core and made and row.catalog != PG_NAMESPACE:
        hint = NOT_IN_PUBLIC.format(schema=domain.schema)
    rank = EXTENSION if row.catalog == PG_EXTENSION else WRITTEN
    did = "made" if made else "altered"
    return Violation(rank, f"{did} {_name(evidence, row)}, {owner_clause(owner)}", hint)


def _own_schema_violation(evidence: TransactionView, row: ChangedObject) -> Violation | None:
    """Judge a row of the domain's own schema itself: it may not be renamed."""
    domain = evidence.domain
    if row.catalog != PG_NAMESPACE or evidence.owners.owner(row.schema) != domain:
        return None
    if describe_object(evidence.connection, PG_NAMESPACE, row.oid) == f"schema {domain.schema}":
        return None
    hint = SCHEMA_NAME.format(schema=domain.schema)
    return Violation(WRITTEN, f"renamed the schema {domain.schema}", hint)


def _is_explained(evidence: TransactionView, table: int) -> bool:
    """Return whether a foreign key explains that the row of core's table was written."""
    return evidence.catalog_before.is_known and not list(changed_tables(evidence, [table]))


def _name(evidence: TransactionView, row: ChangedObject) -> str:
    if row.catalog == PG_NAMESPACE and not evidence.is_new(row.oid):
        return f"schema {evidence.owners.names[row.oid]}"
    return describe_object(evidence.connection, row.catalog, row.oid)


def violations(evidence: TransactionView) -> Iterator[Violation]:
    """Yield what breaks the rule; only what the operations can have done is looked for."""
    if not evidence.additive:
        evidence.load_previous()
    yield from _locked_relations(evidence)
    yield from _locked_objects(evidence)
    if not evidence.additive:
        yield from _crossings(evidence)
    if evidence.custom_sql:
        yield from catalog_row_violations(evidence, _changed(evidence))


def _changed(evidence: TransactionView) -> list[int]:
    own = evidence.owners.allowed
    strong = [lock for lock in evidence.locks if lock.mode in DDL_MODES]
    return sorted({lock.oid for lock in strong if lock.schema in own})


def _locked_relations(evidence: TransactionView) -> Iterator[Violation]:
    tables: dict[int, list[HeldLock]] = defaultdict(list)
    territory, domain = evidence.owners, evidence.domain
    for lock in evidence.locks:
        schema = evidence.schema(lock)
        if not lock.is_relation or schema is None:
            continue
        if territory.is_own(schema):
            yield from _moved(evidence, lock)
            continue
        owner = territory.owner(schema)
        shape = lock.mode in DDL_MODES
        if owner is None and not shape:
            continue  # What belongs to nobody may be used, as extensions' schemas are.
        if owner is not None and owner.is_core and lock.table is None and evidence.is_new(lock.oid):
            did = f"made {evidence.name(lock)}, {owner_clause(owner)}"
            hint = NOT_IN_PUBLIC.format(schema=domain.schema)
            yield Violation(NEW_IN_PUBLIC, did, hint, lock.key)
        elif owner is not None and (owner.is_core or domain.is_core):
            tables[lock.table or lock.oid].append(lock)
        elif not evidence.is_engine_read(lock):
            yield evidence.lock_violation(lock, hint_for(domain, owner, shape=shape))
    if tables:
        judge = domain_table_violations if domain.is_core else core_table_violations
        yield from judge(evidence, tables)


def _moved(evidence: TransactionView, lock: HeldLock) -> Iterator[Violation]:
    """Judge where a relation of the domain's own is now."""
    if lock.schema is not None and not evidence.owners.is_own(lock.schema):
        owner = evidence.owners.owner(lock.schema)
        schema = evidence.owners.names[lock.schema]
        yield Violation(
            MOVED,
            f"moved {evidence.name(lock)} to the schema {schema}, {owner_clause(owner)}",
            hint_for(evidence.domain, owner, shape=True),
            lock.key,
        )


def _locked_objects(evidence: TransactionView) -> Iterator[Violation]:
    territory, domain = evidence.owners, evidence.domain
    for lock in evidence.locks:
        if lock.is_relation or lock.mode not in DDL_MODES:
            continue
        if lock.catalog == PG_NAMESPACE:
            schema = lock.oid if lock.oid in territory.present_at_start else None
            name = f"schema {territory.names.get(lock.oid, '')}"
        elif domain.is_core and lock.catalog == PG_CONSTRAINT:
            continue  # Judged with its table.
        else:
            was = evidence.catalog_before.get(lock.catalog, lock.oid)
            schema = was.schema if was else None
            name = f"{was.name} in {territory.names.get(was.schema)}" if was else ""
        if schema is not None and not territory.is_own(schema):
            owner = territory.owner(schema)
            yield Violation(
                OBJECT_LOCK,
                f"took {lock.mode} on {name}, {owner_clause(owner)}",
                hint_for(domain, owner, shape=True),
                lock.key,
            )


def _crossings(evidence: TransactionView) -> Iterator[Violation]:
    territory, connection = evidence.owners, evidence.connection
    others = [oid for oid in territory.forbidden if oid != territory.core]
    if not others:
        return
    own = [oid for oid in territory.allowed if not territory.is_system(oid)]
    functions = []
    changed = evidence.now.inserted(evidence.before, ["pg_proc"]) or evidence.now.updated(
        evidence.before, ["pg_proc"]
    )
    if evidence.custom_sql and changed:
        functions = read_own_functions(connection, evidence.now, evidence.before, own)
    crossings = read_dependencies(
        connection,
        evidence.now,
        evidence.before,
        relations=sorted({x.oid for x in evidence.locks if x.mode in DDL_MODES}),
        functions=functions,
        others=others,
    )
    for crossing in crossings:
        if evidence.domain.is_core and crossing.catalog == PG_CONSTRAINT and not crossing.is_own:
            continue  # Judged with its table.
        owner = territory.owner(crossing.schema)
        user = describe_object(connection, crossing.catalog, crossing.oid, crossing.column)
        used = describe_object(
            connection, crossing.used_catalog, crossing.used_oid, crossing.used_column
        )
        yield Violation(
            CROSSING,
            f"made {user} use {used}, {owner_clause(owner)}",
            CORE_DEPENDS if evidence.domain.is_core else DOMAIN_DEPENDS,
        )
