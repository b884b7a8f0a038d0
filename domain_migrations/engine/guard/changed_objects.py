"""The guard's rules for all that is not a relation: schemas, functions, types, privileges, …"""

from __future__ import annotations

from collections.abc import Iterator

from .catalog_before import PG_CLASS, PG_CONSTRAINT, PG_DEFAULT_ACL, PG_EXTENSION, PG_NAMESPACE
from .catalog_changes import (
    ChangedObject,
    describe_object,
    read_changed_class_rows,
    read_changed_objects,
)
from .held_locks import DDL_MODES
from .transaction import TransactionView
from .violations import SCHEMA_NAME, Description, Priority, Violation, hint_for


def find_locked_objects(view: TransactionView) -> Iterator[Violation]:
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
        elif was := view.previous(lock):
            if not was.schema:
                continue  # Judged as an object of the database.
            schema, name = was.schema, owners.names.get(was.schema, "")
            names = frozenset((name, was.name, was.table))
            described = Description(f"{was.description} in {name}", names)
        else:
            continue
        if schema is not None and not owners.is_own(schema):
            owner = owners.owner(schema)
            verb, hint = f"took {lock.mode} on", hint_for(view.domain, owner)
            yield Violation.of(Priority.OBJECT_LOCK, verb, described, owner, hint)


def find_changed_objects(view: TransactionView) -> Iterator[Violation]:
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
    domain, owner = view.domain, view.owners.owner(row.schema)
    if row.catalog == PG_DEFAULT_ACL and not row.schema:
        action = "altered the default privileges of every schema"
        hint = f"Add IN SCHEMA {domain.schema}."
        if domain.is_core or view.alters_database:
            return None
        return Violation(Priority.WRITTEN, action, hint, frozenset())
    if view.owners.is_own(row.schema):
        return _own_schema_violation(view, row)
    made = view.is_new(row.oid)
    if row.catalog == PG_NAMESPACE and not made:
        name = view.owners.names[row.oid]
        schema, hint = Description(f"schema {name}", frozenset((name,))), hint_for(domain, owner)
        return Violation.of(Priority.WRITTEN, "altered", schema, owner, hint)
    of_core = owner is not None and owner.is_core
    if of_core and row.catalog == PG_CLASS and _is_foreign_key_change(view, row.oid):
        return None
    priority = Priority.EXTENSION if row.catalog == PG_EXTENSION else Priority.WRITTEN
    return row.to_violation(view.connection, view.owners, priority, made=made)


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
    return Violation(Priority.WRITTEN, f"renamed the schema {domain.schema}", hint, names)


def _is_foreign_key_change(view: TransactionView, table: int) -> bool:
    """Return whether a foreign key explains that the row of core's table was written."""
    return view.catalog_before.is_known and not read_changed_class_rows(view, [table])
