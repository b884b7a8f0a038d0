"""The guard's rules: which traces of a transaction break the boundary.

``find_violations`` applies them all; those here judge what moves and what depends on what. Each
rule is a function that takes a ``TransactionView`` and yields violations;
``_cross_schema_dependencies`` is a short one to copy. A rule that also has to hold without a
transaction needs a counterpart in ``non_atomic``.
"""

from __future__ import annotations

from collections.abc import Iterator

from .catalog_before import PG_CONSTRAINT
from .catalog_changes import ChangedObject, read_altered_own_objects
from .changed_objects import find_changed_objects, find_locked_objects
from .database_objects import find_database_changes
from .dependencies import read_dependencies
from .engine_tables import find_engine_table_changes
from .locked_relations import find_locked_relations
from .transaction import TransactionView
from .violations import Description, Priority, Violation, hint_for


def find_violations(view: TransactionView) -> Iterator[Violation]:
    """Yield what breaks the boundary; only what the operations can have done is looked up."""
    altered = read_altered_own_objects(view) if view.custom_sql else []
    if not view.additive:
        view.load_previous(found.oid for found in altered)
    yield from _moved_relations(view)
    yield from _objects_moved_here(view, altered)
    yield from find_locked_relations(view)
    yield from find_locked_objects(view)
    if not view.additive:
        yield from _cross_schema_dependencies(view, altered)
    if view.custom_sql:
        yield from find_changed_objects(view)
        yield from find_database_changes(view)
        yield from find_engine_table_changes(view)


def _moved_relations(view: TransactionView) -> Iterator[Violation]:
    """Judge relations of the domain that are now in a schema that is not its own."""
    for lock in view.locks:
        before = view.as_before(lock).schema
        if not lock.is_relation or lock.schema is None or before is None:
            continue
        if view.owners.is_own(before) and not view.owners.is_own(lock.schema):
            owner, relation = view.owners.owner(lock.schema), view.describe(lock)
            text = f"{relation.text} to the schema {view.owners.names[lock.schema]}"
            what, hint = Description(text, relation.names), hint_for(view.domain, owner)
            yield Violation.of(Priority.MOVED, "moved", what, owner, hint)


def _objects_moved_here(view: TransactionView, own: list[ChangedObject]) -> Iterator[Violation]:
    """Judge types, functions and the like that were in a schema that is not the domain's own.

    Not all of them are locked when they are moved.
    """
    for found in own:
        was = view.catalog_before.get(found.catalog, found.oid)
        if was is not None and was.schema != found.schema and not view.owners.is_own(was.schema):
            owner, schema = view.owners.owner(was.schema), view.owners.names[was.schema]
            text = f"{was.description} out of the schema {schema}"
            what, hint = (
                Description(text, frozenset((was.name, schema))),
                hint_for(view.domain, owner),
            )
            yield Violation.of(Priority.MOVED, "moved", what, owner, hint)


def _cross_schema_dependencies(
    view: TransactionView, altered: list[ChangedObject]
) -> Iterator[Violation]:
    """Judge objects that depend on another domain's: views, defaults, types of columns, …"""
    for dependency in read_dependencies(view, altered):
        # The keys to core are judged with their tables.
        of_domain = dependency.user_schema in view.owners.other_domains
        if not (view.domain.is_core and dependency.catalog == PG_CONSTRAINT and of_domain):
            yield dependency.to_violation(view.connection, view.owners)
