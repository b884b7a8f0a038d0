"""Previews of plans: the SQL and the locks of each migration, without running it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from psycopg.errors import ReadOnlySqlTransaction

from ....domains import CORE_SCHEMA, QualifiedName
from ...catalog.live_tables import CoreReference, read_core_references
from ...guard.held_locks import LOCK_STRENGTH
from ...sessions.connection import execute
from ...sources.files import MigrationKey
from ...sources.transfer_halves import half_in
from ...sql.alterations import Alteration, alterations
from ..loader import DomainLoader, Plan
from ..project_state import project_state
from ..results import PlannedMigration
from ..transfer.pair_state import state_with_received
from .trial_executor import describe_operations, rolled_back

ADDED, DROPPED = "ShareRowExclusiveLock", "AccessExclusiveLock"
"""The locks that PostgreSQL takes on the table that a foreign key references."""


LockNote = tuple[QualifiedName, str, str]
"""A table, the mode of the lock on it, and the reason."""


def _with_locks(step: PlannedMigration, lock_notes: Iterable[LockNote]) -> PlannedMigration:
    locks, notes = dict(step.locks), list(step.notes)
    for table, mode, why in lock_notes:
        if LOCK_STRENGTH[mode] > LOCK_STRENGTH.get(locks.get(str(table), ""), -1):
            locks[str(table)] = mode
        note = f"locks {table} ({mode}): {why}"
        if note not in notes:
            notes.append(note)
    return step._replace(locks=locks, notes=tuple(notes))


def _into_core(step: PlannedMigration, keys: list[Alteration]) -> Iterator[LockNote]:
    """Yield the locks on core; ``keys`` are the existing foreign keys, updated by each step."""
    for change in _changes(step):
        if change.kind == "add key":
            if change.target is not None and change.target.schema == CORE_SCHEMA:
                keys.append(change)
                yield change.target, ADDED, f"adds the foreign key {_key_phrase(change)} to it"
            continue
        if change.kind == "rename":
            keys[:] = [
                key._replace(table=key.table._replace(name=change.name))
                if key.table == change.table
                else key
                for key in keys
            ]
        dropped = [key for key in keys if key.table == change.table and _drops(key, change)]
        for key in dropped:
            keys.remove(key)
            what = f"the foreign key {_key_phrase(key)} to it"
            actions = {
                "drop table": f"drops {key.table} with {what}",
                "drop column": f"drops {key.table}.{change.name} with {what}",
            }
            if key.target is not None:
                yield key.target, DROPPED, actions.get(change.kind, f"drops {what}")


def _drops(key: Alteration, change: Alteration) -> bool:
    if change.kind == "drop constraint":
        return key.name == change.name
    return change.kind == "drop table" or (
        change.kind == "drop column" and change.name in key.columns
    )


def _into_domains(step: PlannedMigration, references: list[CoreReference]) -> Iterator[LockNote]:
    for change in _changes(step):
        for found in references:
            if found.key_table != change.table:
                continue
            if change.kind in ("type", "drop column") and change.name == found.key_column:
                verb = "changes the type of" if change.kind == "type" else "drops"
                yield found.table, DROPPED, f"{verb} {found.key}, which {found.column} refers to"
            elif change.kind == "drop table":
                yield found.table, DROPPED, f"drops {change.table}, which {found.column} refers to"


def _changes(step: PlannedMigration) -> Iterator[Alteration]:
    for statement in step.sql:
        yield from alterations(statement)


def _key_phrase(key: Alteration) -> str:
    return f"{key.table}.{key.name}" if key.name else f"of {key.table}.{', '.join(key.columns)}"


def preview(
    connection: BaseDatabaseWrapper,
    loader: DomainLoader,
    plan: Plan,
    *,
    collect_sql: bool = True,
    made: Iterable[Migration] = (),
) -> tuple[PlannedMigration, ...]:
    """Return a step for each migration of the plan, with its operations and its SQL.

    Arguments:
        collect_sql: whether the SQL is wanted. Without it, it is collected only where a foreign
            key may lock a table outside of the domain.
        made: migrations before the plan that are not applied, but whose changes are there.

    The SQL is collected, not run. A comment replaces the statements where Django needs to read a
    table as it is right before the migration, or where an operation writes while it is
    collected. The locks that foreign keys cause outside of the domain are derived from the SQL:
    for a domain on the tables of core that its keys reference, for core on the tables of domains
    whose keys reference one that is changed or dropped.
    """
    domain, references = loader.domain, read_core_references(connection)
    if not collect_sql and domain.is_core and not references:
        return tuple(_step(migration, backwards) for migration, backwards in plan)
    steps = _steps(connection, loader, plan, made)
    if domain.is_core:
        return tuple(_with_locks(step, _into_domains(step, references)) for step in steps)
    keys = [
        Alteration("add key", found.table, found.constraint, (found.column,), found.key_table)
        for found in references
        if found.table.schema == domain.schema
    ]
    return tuple(_with_locks(step, _into_core(step, keys)) for step in steps)


def _steps(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan, made: Iterable[Migration]
) -> Iterator[PlannedMigration]:
    """Yield the steps without the locks.

    Forwards, the state of each is made from the one before: from nothing, each would render all
    models.
    """
    applied: ProjectState | None = None
    for migration, backwards in plan:
        if backwards:
            sql = _sql(connection, state_before(loader, migration), migration, backwards)
            yield _step(migration, backwards)._replace(sql=sql)
            continue
        if applied is None:
            applied = _first_state(loader, migration, made)
        if (half := half_in(migration)) is not None:
            applied = state_with_received(loader, half, applied)
        applied.apps  # noqa: B018 (copies share what is rendered now)
        state = applied.clone()
        sql = _sql(connection, state, migration, backwards)
        yield _step(migration, backwards)._replace(sql=sql)
        is_whole = all(operation.reduces_to_sql for operation in migration.operations)
        if is_whole and not any(map(is_comment, sql)):
            applied = state  # Collecting the SQL has changed it.
        else:
            applied = migration.mutate_state(applied, preserve=False)


def _first_state(
    loader: DomainLoader, migration: Migration, made: Iterable[Migration]
) -> ProjectState:
    """Return the state before the first migration of a plan."""
    if loader.connection is None:
        return state_before(loader, migration)  # It knows no history, only the files.
    applied = project_state(loader)
    for each in made:
        applied = each.mutate_state(applied, preserve=False)
    return applied


def _step(migration: Migration, backwards: bool) -> PlannedMigration:
    return PlannedMigration(
        key=MigrationKey.of(migration),
        backwards=backwards,
        operations=describe_operations(migration, backwards=backwards),
    )


def state_before(loader: DomainLoader, migration: Migration) -> ProjectState:
    key = (migration.app_label, migration.name)
    state: ProjectState = loader.project_state(key, at_end=False)
    return state


def _sql(
    connection: BaseDatabaseWrapper, state: ProjectState, migration: Migration, backwards: bool
) -> tuple[str, ...]:
    """Mirrors ``MigrationLoader.collect_sql``."""
    try:
        with (
            read_only(connection, atomic=migration.atomic),
            connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor,
        ):
            run = migration.unapply if backwards else migration.apply
            run(state, editor, collect_sql=True)
    except Exception as exc:  # the code of operations may raise anything
        reason = "Cannot be shown until the preceding migrations are applied"
        if isinstance(exc.__cause__, ReadOnlySqlTransaction):
            reason = "Not shown, because an operation writes while its SQL is collected"
        elif isinstance(exc, IrreversibleError):
            reason = "The migration cannot be reverted"
        return (f"-- {reason}: {' '.join(str(exc).split())}",)
    return tuple(line for line in editor.collected_sql if not is_comment(line))


@contextmanager
def read_only(connection: BaseDatabaseWrapper, *, atomic: bool = True) -> Iterator[None]:
    """Prevent writes: an operation may run SQL without the editor that collects it.

    Arguments:
        atomic: whether Django may notice the transaction. Operations that build an index
            concurrently refuse to run in one, even where they are only collected.
    """
    if atomic or connection.in_atomic_block:
        with rolled_back(connection):
            execute(connection, "SET TRANSACTION READ ONLY")
            yield
        return
    execute(connection, "BEGIN READ ONLY")
    try:
        yield
    finally:
        execute(connection, "ROLLBACK")


def is_comment(sql: str) -> bool:
    """Return whether collected SQL consists of comments only."""
    return all(not line.strip() or line.lstrip().startswith("--") for line in sql.splitlines())
