"""The SQL of a migration, each statement with the operation that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.special import SeparateDatabaseAndState

from ...engine.runner.dry_run.plan_preview import is_comment, read_only, state_before
from ...engine.runner.executor import run_operations
from ...engine.runner.loader import DomainLoader
from ...engine.sources.files import MigrationKey
from ...engine.sources.parsing import header_of


@dataclass(frozen=True)
class Statement:
    """A statement, and the number of its operation, from 1."""

    sql: str
    operation: int


@dataclass(frozen=True)
class MigrationScript:
    """The SQL of a migration.

    Attributes:
        lines: the lines of the operations in the migration's file, as far as they are known.
        incomplete_reason: why the SQL is not known in full; empty where it is.
    """

    key: MigrationKey
    migration: Migration
    statements: tuple[Statement, ...]
    lines: tuple[int, ...]
    incomplete_reason: str = ""

    def line(self, operation: int) -> int | None:
        """Return the line of an operation, or of the list where they are not written as one."""
        if len(self.lines) == len(self.migration.operations) and operation:
            return self.lines[operation - 1]
        return self.lines[0] if self.lines else None


def read_script(
    connection: BaseDatabaseWrapper, loader: DomainLoader, migration: Migration
) -> MigrationScript:
    """Return the SQL that applying a migration would run; nothing is run or can be written.

    SQL of Python code, and SQL that Django derives from reading the database, is not in it.
    """
    key = MigrationKey.of(migration)
    # The operations are wrapped while they run, so their positions are noted before.
    places = {id(operation): n for n, operation in enumerate(migration.operations, start=1)}
    found: list[Statement] = []
    owners: dict[int, int] = {}
    number, incomplete_reason = 0, ""
    state = state_before(loader, migration)
    try:
        with (
            read_only(connection, atomic=migration.atomic),
            connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor,
        ):
            taken = 0

            @contextmanager
            def watch(operation: Operation) -> Iterator[None]:
                nonlocal taken, number
                number = places[id(operation)]
                yield
                for deferred in editor.deferred_sql:
                    owners.setdefault(id(deferred), number)
                found.extend(Statement(sql, number) for sql in editor.collected_sql[taken:])
                taken = len(editor.collected_sql)

            run_operations(migration, state, editor, "forwards", watch, collect_sql=True)
            taken = len(editor.collected_sql)
        late = [owners.get(id(deferred), number) for deferred in editor.deferred_sql]
        found += map(Statement, editor.collected_sql[taken:], late)
    except (DatabaseError, LookupError, ValueError) as exc:
        incomplete_reason = str(exc).strip() or type(exc).__name__
    statements = tuple(statement for statement in found if not is_comment(statement.sql))
    return MigrationScript(key, migration, statements, header_of(key).lines, incomplete_reason)


def database_operations(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield the operations that change the database, also those inside others."""
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from database_operations(operation.database_operations)
        else:
            yield operation
