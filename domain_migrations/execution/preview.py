"""What a plan would do, told without doing any of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from psycopg.errors import ReadOnlySqlTransaction

from ..files import MigrationKey
from .announcements import announce
from .loader import DomainLoader
from .plans import Plan
from .results import Step
from .trial import in_words, rolled_back


def preview(connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan) -> tuple[Step, ...]:
    """Return a step for each migration of the plan, with its operations and its SQL.

    The SQL is collected, not run. Where Django needs to look at a table as it is right before
    the migration, or an operation writes instead of being collected, that is said in a comment
    in place of the statements. From the SQL come the locks that foreign keys cause beyond the
    domain.
    """
    steps = (
        Step(
            key=MigrationKey(migration.app_label, migration.name),
            backwards=backwards,
            operations=in_words(migration, backwards=backwards),
            sql=_sql(connection, state_before(loader, migration), migration, backwards),
        )
        for migration, backwards in plan
    )
    return announce(connection, loader.domain, steps)


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
            if backwards:
                migration.unapply(state, editor, collect_sql=True)
            else:
                migration.apply(state, editor, collect_sql=True)
    except (DatabaseError, LookupError, ValueError) as exc:
        return (f"-- {_reason(exc)}: {' '.join(str(exc).split())}",)
    return tuple(line for line in editor.collected_sql if not is_comment(line))


def _reason(exc: Exception) -> str:
    if isinstance(exc.__cause__, ReadOnlySqlTransaction):
        return "Not told, because an operation writes while its SQL is collected"
    return "Known only where the database is as right before this migration"


@contextmanager
def read_only(connection: BaseDatabaseWrapper, *, atomic: bool = True) -> Iterator[None]:
    """Let nothing be written: an operation may run SQL past the editor that collects it.

    Arguments:
        atomic: whether Django may know of the transaction. Operations that build an index
            concurrently refuse to be in one, also where they are only collected.
    """
    if atomic or connection.in_atomic_block:
        with rolled_back(connection):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN READ ONLY")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")


def is_comment(sql: str) -> bool:
    """Return whether collected SQL does nothing, and is no statement behind a comment."""
    return all(not line.strip() or line.lstrip().startswith("--") for line in sql.splitlines())
