"""The guard's rules: which traces of a transaction break the boundary.

``violations`` applies them all. Each rule is a function that takes a ``TransactionView`` and yields
violations; ``_moved_relations`` is the shortest one to copy. A migration without a transaction has
no traces of its own: ``non_atomic`` compares the catalogs instead, so a rule for both has its
counterpart there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS, owner_clause
from .catalog_before import (
    PG_CLASS,
    PG_CONSTRAINT,
    PG_DEFAULT_ACL,
    PG_EVENT_TRIGGER,
    PG_EXTENSION,
    PG_NAMESPACE,
)
from .catalog_changes import (
    ChangedObject,
    Description,
    ForeignKey,
    describe_object,
    part_change,
    read_changed_class_rows,
    read_changed_objects,
    read_dependencies,
    read_foreign_keys,
    read_own_functions,
    read_table_changes,
)
from .transaction import (
    DDL_MODES,
    INDEXES,
    LOCK_STRENGTH,
    READ_MODES,
    WRITE_MODE,
    HeldLock,
    TransactionView,
)
from .violations import (
    CHANGE_LOCK,
    CORE_KEY,
    CORE_SHAPE,
    CROSSING,
    EVENT_TRIGGERS,
    EXTENSION,
    INDEX_LOCK,
    MOVED,
    NEW_IN_PUBLIC,
    NOT_IN_PUBLIC,
    OBJECT_LOCK,
    READ_LOCK,
    SCHEMA_NAME,
    WRITTEN,
    Violation,
    hint_for,
)

KEY_MODES = frozenset(("ShareRowExclusiveLock", "AccessExclusiveLock"))
"""The locks that adding and dropping a foreign key takes on the table that it points at."""

WRITING_ACTIONS = frozenset("cnd")
"""ON DELETE and ON UPDATE: cascade, set null, set default."""

TableLocks = dict[int, list[HeldLock]]
"""The locks on each table and on its indexes."""


def violations(view: TransactionView) -> Iterator[Violation]:
    """Yield what breaks the boundary; only what the operations can have done is looked up."""
    if not view.additive:
        view.load_previous()
    yield from _moved_relations(view)
    yield from _locked_relations(view)
    yield from _locked_objects(view)
    if not view.additive:
        yield from _cross_schema_dependencies(view)
    if view.custom_sql:
        yield from _changed_objects(view)


def _moved_relations(view: TransactionView) -> Iterator[Violation]:
    """Judge relations of the domain that are now in a schema that is not its own."""
    for lock in view.locks:
        before = view.schema(lock)
        if not lock.is_relation or lock.schema is None or before is None:
            continue
        if view.owners.is_own(before) and not view.owners.is_own(lock.schema):
            owner = view.owners.owner(lock.schema)
            schema = view.owners.names[lock.schema]
            yield Violation(
                MOVED,
                f"moved {_qualified(view, lock)} to the schema {schema}, {owner_clause(owner)}",
                hint_for(view.domain, owner, shape=True),
                _names(view, lock),
            )


def _locked_relations(view: TransactionView) -> Iterator[Violation]:
    """Judge locks on relations outside the domain's own schemas."""
    tables: TableLocks = defaultdict(list)
    for lock in view.locks:
        schema = view.schema(lock)
        if not lock.is_relation or schema is None or view.owners.is_own(schema):
            continue
        owner = view.owners.owner(schema)
        shape = lock.mode in DDL_MODES
        if owner is None and not shape:
            continue  # Objects without an owner may be used, as extensions' schemas are.
        if owner is not None and owner.is_core and lock.table is None and view.is_new(lock.oid):
            yield Violation(
                NEW_IN_PUBLIC,
                f"made {_qualified(view, lock)}, {owner_clause(owner)}",
                NOT_IN_PUBLIC.format(schema=view.domain.schema),
                _names(view, lock),
            )
        elif owner is not None and (owner.is_core or view.domain.is_core):
            tables[lock.table or lock.oid].append(lock)
        elif not view.is_engine_read(lock):
            yield _lock_violation(view, lock, hint_for(view.domain, owner, shape=shape))
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
                if view.writable is not None and _table_name(lock) not in view.writable:
                    yield _lock_violation(
                        view, lock, hint_for(view.domain, view.owner(lock), shape=False)
                    )
            elif lock.mode not in KEY_MODES or lock.oid != oid or _was_index(view, lock):
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
    for table in _changed_class_rows(view, tables):
        yield table, Description("changed the table itself")
    locked = [lock.oid for lock in view.locks if lock.schema in own]
    explained = {key.target for key in read_foreign_keys(view, locked) if key.written}
    explained |= {key.target for key in view.dropped_foreign_keys() if key.schema in own}
    transient = view.dropped_transient_constraint()
    for table in tables:
        if table not in explained and not transient:
            yield table, Description("no foreign key explains it")


def _changed_class_rows(view: TransactionView, tables: list[int]) -> Iterator[int]:
    """Yield the tables whose row of ``pg_class`` a first foreign key does not explain."""
    for oid, row in read_changed_class_rows(view, tables).items():
        was = view.catalog_before.get(PG_CLASS, oid)
        if was is None or was.row != row:
            yield oid


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


def _locked_objects(view: TransactionView) -> Iterator[Violation]:
    """Judge locks on schemas, functions, types and all else that is not a relation."""
    owners = view.owners
    for lock in view.locks:
        if lock.is_relation or lock.mode not in DDL_MODES:
            continue
        if view.domain.is_core and lock.catalog == PG_CONSTRAINT:
            continue  # Judged with its table.
        if lock.catalog == PG_NAMESPACE:
            schema = lock.oid if lock.oid in owners.present_at_start else None
            name = owners.names.get(lock.oid, "")
            described = Description(f"schema {name}", frozenset((name,)))
        elif was := view.catalog_before.get(lock.catalog, lock.oid):
            schema, name = was.schema, owners.names.get(was.schema, "")
            names = frozenset((name, was.name, was.table))
            described = Description(f"{was.description} in {name}", names)
        else:
            continue
        if schema is not None and not owners.is_own(schema):
            owner = owners.owner(schema)
            yield Violation(
                OBJECT_LOCK,
                f"took {lock.mode} on {described.text}, {owner_clause(owner)}",
                hint_for(view.domain, owner, shape=True),
                described.names,
            )


def _cross_schema_dependencies(view: TransactionView) -> Iterator[Violation]:
    """Judge objects that depend on another domain's: views, defaults, types of columns, …"""
    owners = view.owners
    others = [oid for oid in owners.forbidden if oid != owners.core]
    if not others:
        return
    own = [oid for oid in owners.allowed if not owners.is_system(oid)]
    dependencies = read_dependencies(
        view,
        relations=sorted({lock.oid for lock in view.locks if lock.mode in DDL_MODES}),
        functions=read_own_functions(view, own) if view.custom_sql else [],
        others=others,
    )
    for dependency in dependencies:
        if view.domain.is_core and dependency.catalog == PG_CONSTRAINT and not dependency.is_own:
            continue  # Judged with its table.
        described = dependency.describe(view.connection)
        yield Violation(
            CROSSING,
            f"made {described.text}, {owner_clause(owners.owner(dependency.schema))}",
            CORE_DEPENDS if view.domain.is_core else DOMAIN_DEPENDS,
            described.names,
        )


def _changed_objects(view: TransactionView) -> Iterator[Violation]:
    """Judge functions, types, privileges and all else that no lock reveals."""
    own = view.owners.allowed
    strong = {lock.oid for lock in view.locks if lock.mode in DDL_MODES and lock.schema in own}
    changed = read_changed_objects(view, sorted(strong))
    if changed:
        view.owners.read(view.connection)
    for row in changed:
        if violation := _object_violation(view, row):
            yield violation


def _object_violation(view: TransactionView, row: ChangedObject) -> Violation | None:
    domain = view.domain
    if row.catalog == PG_EVENT_TRIGGER:
        described = describe_object(view.connection, row.catalog, row.oid)
        action = f"made or altered {described.text}, which fires for every domain"
        return Violation(WRITTEN, action, EVENT_TRIGGERS, described.names)
    if row.catalog == PG_DEFAULT_ACL and not row.schema:
        action = "altered the default privileges of every schema"
        hint = f"Add IN SCHEMA {domain.schema}."
        return None if domain.is_core else Violation(WRITTEN, action, hint, frozenset())
    if view.owners.is_own(row.schema):
        return _own_schema_violation(view, row)
    owner = view.owners.owner(row.schema)
    of_core = owner is not None and owner.is_core
    if of_core and row.catalog == PG_CLASS and _is_foreign_key_change(view, row.oid):
        return None
    made = view.is_new(row.oid)
    hint = hint_for(domain, owner, shape=True)
    if of_core and made and row.catalog != PG_NAMESPACE:
        hint = NOT_IN_PUBLIC.format(schema=domain.schema)
    if row.catalog == PG_NAMESPACE and not made:
        name = view.owners.names[row.oid]
        described = Description(f"schema {name}", frozenset((name,)))
    else:
        described = describe_object(view.connection, row.catalog, row.oid)
    return Violation(
        EXTENSION if row.catalog == PG_EXTENSION else WRITTEN,
        f"{'made' if made else 'altered'} {described.text}, {owner_clause(owner)}",
        hint,
        described.names,
    )


def _own_schema_violation(view: TransactionView, row: ChangedObject) -> Violation | None:
    """Judge a change of the domain's own schema itself: it may not be renamed."""
    domain = view.domain
    if row.catalog != PG_NAMESPACE or view.owners.owner(row.schema) != domain:
        return None
    described = describe_object(view.connection, PG_NAMESPACE, row.oid)
    if described.text == f"schema {domain.schema}":
        return None
    hint = SCHEMA_NAME.format(schema=domain.schema)
    names = described.names | {domain.schema}
    return Violation(WRITTEN, f"renamed the schema {domain.schema}", hint, names)


def _is_foreign_key_change(view: TransactionView, table: int) -> bool:
    """Return whether a foreign key explains that the row of core's table was written."""
    return view.catalog_before.is_known and not list(_changed_class_rows(view, [table]))


def _was_index(view: TransactionView, lock: HeldLock) -> bool:
    was = view.previous(lock)
    return was is not None and was.kind in INDEXES


def _table_name(lock: HeldLock) -> str | None:
    return lock.table_name or lock.name


def _qualified(view: TransactionView, lock: HeldLock) -> str:
    return f"{view.schema_name(lock)}.{view.name(lock)}"


def _names(view: TransactionView, lock: HeldLock) -> frozenset[str]:
    return frozenset((view.schema_name(lock), view.name(lock)))


def _lock_violation(
    view: TransactionView, lock: HeldLock, hint: str, change: Description | None = None
) -> Violation:
    """Return a lock on a relation as a violation; a stronger lock has a higher priority."""
    priority = READ_LOCK if lock.mode in READ_MODES else CHANGE_LOCK
    if lock.table is not None:
        priority = INDEX_LOCK
    was = view.previous(lock)
    # Where a cascade has locked a table and its dependents, the table is reported.
    is_dependent = (was.kind if was else lock.kind) not in ("r", "p")
    action = f"took {lock.mode} on {_qualified(view, lock)}, {owner_clause(view.owner(lock))}"
    return Violation(
        priority + 2 * (len(LOCK_STRENGTH) - LOCK_STRENGTH[lock.mode]) + is_dependent,
        f"{action}, and {change.text}" if change else action,
        hint,
        _names(view, lock) | (change.names if change else frozenset()),
    )
