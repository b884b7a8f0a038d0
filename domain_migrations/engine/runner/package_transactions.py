"""Migrations of installed packages that end transactions, which a project cannot change."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from psycopg.pq import TransactionStatus

from ..sources.files import is_installed
from .kept_transactions import transaction_end


def accept_transactions(migrations: Iterable[Migration]) -> None:
    """Let packages' migrations run without a transaction if their SQL would end it.

    With Django they have none either: it applies them, and what they commit is kept. The
    transactions of their own are checked instead.
    """
    for migration in migrations:
        if any(map(transaction_end, _texts(migration.operations))):
            give_up_transaction(migration)


def give_up_transaction(migration: Migration) -> bool:
    """Make an atomic migration of an installed package not atomic; return whether it was."""
    if not migration.atomic or not _is_of_package(type(migration).__module__):
        return False
    vars(migration)["atomic"] = False  # django-stubs declares it as the class's own.
    return True


def commit_open_transaction(migration: Migration, connection: BaseDatabaseWrapper) -> None:
    """Commit what a migration that gave up its transaction has begun, as Django's executor does."""
    if connection.in_atomic_block or not has_given_up(migration):
        return
    raw = connection.connection
    if raw.info.transaction_status == TransactionStatus.INTRANS:
        raw.commit()


def has_given_up(migration: Migration) -> bool:
    """Return whether the migration has no transaction, though its class says that it has."""
    return type(migration).atomic and not migration.atomic


def warning_about(migration: Migration) -> str:
    """Return the warning about a migration that has no transaction any more, "" for others."""
    if not has_given_up(migration):
        return ""
    return (
        f"Migration {migration}, of an installed package, ends transactions itself, so it runs"
        " without one: if it fails, what it has committed is kept."
    )


@functools.cache
def _is_of_package(module: str) -> bool:
    path = getattr(sys.modules.get(module), "__file__", None)
    return path is not None and is_installed(Path(path))


def _texts(operations: Iterable[Operation]) -> Iterator[str]:
    """Yield the texts of ``RunSQL``, each of which may be a list of them or of pairs."""
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _texts(operation.database_operations)
        elif isinstance(operation, RunSQL):
            for source in (operation.sql, operation.reverse_sql):
                items: Any = [source] if isinstance(source, str) else source or ()
                yield from (item if isinstance(item, str) else item[0] for item in items)
