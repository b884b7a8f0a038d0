"""The migrations that a run has applied and reverted so far."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db.migrations.migration import Migration

from ..sources.files import MigrationKey
from .results import AppliedMigration


class RunProgress:
    """The migrations that an executor has run so far, also when an error has stopped it."""

    def __init__(self) -> None:
        self.applied: list[AppliedMigration] = []
        self.reverted: list[AppliedMigration] = []

    def count(self, migration: Migration, started: float, *, backwards: bool) -> None:
        """Count a migration, or those that a snapshot contains, which began at that time."""
        parts = migrations_in(migration)
        seconds = (time.monotonic() - started) / len(parts)
        done = self.reverted if backwards else self.applied
        done.extend(AppliedMigration(MigrationKey.of(part), seconds) for part in parts)


def migrations_in(migration: Migration) -> Sequence[Migration]:
    """Return the migrations that a snapshot contains, or just the migration if it is not one."""
    return getattr(migration, "contained", None) or (migration,)
