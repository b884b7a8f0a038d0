"""Run operations under the footprint guard as a migration would, then roll back."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, migrations, transaction
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from domain_migrations.domains import get_domain
from domain_migrations.engine.guard.guard import BoundaryGuard
from domain_migrations.engine.guard.watch import FORCE_CONSTRAINTS, Footprint
from domain_migrations.engine.runner.observed_operations import editor_without_savepoint
from domain_migrations.exceptions import BoundaryViolation

LANDSCAPE = Path(__file__).with_name("landscape.sql")


def lay_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute(LANDSCAPE.read_text())


def migration_of(*operations: Operation | str, domain: str, **attributes: object):
    """A migration of the domain; strings are SQL."""
    migration = migrations.Migration("0002_change", domain)
    migration.operations = [
        migrations.RunSQL(operation) if isinstance(operation, str) else operation
        for operation in operations
    ]
    for name, value in attributes.items():
        setattr(migration, name, value)
    return migration


def guarded(
    *operations: Operation | str,
    domain: str = "inventory",
    commit: bool = False,
    state: ProjectState | None = None,
    **attributes: object,
) -> Footprint:
    """Run the operations as the executor does, and roll back; return the footprint."""
    migration = migration_of(*operations, domain=domain, **attributes)
    guard = BoundaryGuard(connection, get_domain(domain))
    state = state or ProjectState()
    with transaction.atomic():
        watch = guard.begin(migration, backwards=False)
        with editor_without_savepoint(connection) as editor:
            for operation in migration.operations:
                before = state.clone()
                operation.state_forwards(domain, state)
                operation.database_forwards(domain, editor, before, state)
                watch.after_operation(operation)
        watch.run_final(FORCE_CONSTRAINTS)
        footprint = watch.check()
        transaction.set_rollback(not commit)
    return footprint


def run_non_atomic(
    *operations: Operation | str, domain: str = "inventory", **attributes: object
) -> Footprint:
    """Run the operations as a migration without a transaction; they stay."""
    migration = migration_of(*operations, domain=domain, atomic=False, **attributes)
    guard = BoundaryGuard(connection, get_domain(domain))
    watch = guard.begin(migration, backwards=False)
    with connection.schema_editor(atomic=False) as editor:
        for operation in migration.operations:
            with watch.observe(operation):
                operation.database_forwards(domain, editor, ProjectState(), ProjectState())
            watch.after_operation(operation)
    return watch.check()


def refusal(*operations: Operation | str, **options: object) -> tuple[str, str] | None:
    """The message and the hint of the refusal; None when there is none."""
    try:
        guarded(*operations, **options)  # type: ignore[arg-type]
    except BoundaryViolation as exc:
        return exc.message, exc.hint
    return None
