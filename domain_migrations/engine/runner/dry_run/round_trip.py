"""Applying, undoing and applying again, to see whether the undo restores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from ....exceptions import DomainMigrationsError, MigrationFailed
from ...catalog.fingerprint import DatabaseFingerprint, fingerprint_differences, read_catalog
from ...sources.files import MigrationKey
from ..plan import Plan
from ..results import SkippedInDryRun
from .trial_executor import RolledBackExecutor

MOST_NAMED = 10
WRITE_REVERSE = "Correct its reverse; nothing was kept."


def check_round_trip(
    executor: RolledBackExecutor, plan: Plan, state: ProjectState
) -> list[SkippedInDryRun]:
    """Apply each migration, undo it, and apply it again; return which could not be undone.

    Those that have no way back are applied, so that the ones behind them can be rehearsed.

    Raises:
        MigrationFailed: an undo does not restore what the catalogs said before, or the
            migration then makes something else than the first time.
        DomainMigrationsError: a migration could not be applied or undone.
    """
    one_way: list[SkippedInDryRun] = []
    connection = executor.connection
    before = read_catalog(connection)
    for migration, _ in plan:
        start = state.clone()
        state = executor.apply_migration(state, migration)
        applied, step = read_catalog(connection), len(executor.steps)
        if stuck := _irreversible(migration):
            one_way.append(
                (MigrationKey.of(migration), f"It cannot be undone: {stuck} has no reverse.")
            )
        else:
            with _phase(f"{migration} was applied, and then"):
                executor.unapply_migration(start.clone(), migration)
            _expect(
                before,
                read_catalog(connection),
                f"Undoing {migration} does not restore",
            )
            with _phase(f"{migration} was applied and undone, and then"):
                executor.apply_migration(start, migration)
            _expect(
                applied,
                read_catalog(connection),
                f"Applied again, {migration} changes",
            )
            del executor.steps[step:]  # The first time is what a run would do.
        before = applied
    return one_way


def _irreversible(migration: Migration) -> str:
    return ", ".join(
        f"operation {number} ({operation.describe()})"
        for number, operation in enumerate(migration.operations, start=1)
        if not operation.reversible
    )


@contextmanager
def _phase(words: str) -> Iterator[None]:
    """Say in a failure what had gone well before."""
    try:
        yield
    except DomainMigrationsError as exc:
        message = f"{words}: {exc.message}"
        raise type(exc)(message, hint=exc.hint, sqlstate=exc.sqlstate) from exc


def _expect(before: DatabaseFingerprint, after: DatabaseFingerprint, problem: str) -> None:
    found = fingerprint_differences(before, after)
    if found:
        more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise MigrationFailed(
            f"{problem} the catalog: {'; '.join(found[:MOST_NAMED])}{more}.", hint=WRITE_REVERSE
        )
