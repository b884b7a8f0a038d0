"""Migrations that a signal has stopped."""

from __future__ import annotations

from collections.abc import Sequence

from ...domains import get_domain_for
from ...exceptions import RunStopped
from ..messages import shortened
from .attempts import Attempt
from .results import AppliedMigration

CONTINUES = "Run the command again: it continues from here."


def stopped_migration(
    exc: KeyboardInterrupt, attempt: Attempt, applied: Sequence[AppliedMigration]
) -> RunStopped:
    """Return the error for a migration that was running."""
    migration = attempt.migration
    before = shortened([ran.key for ran in applied]) or "none"
    kept, advice = "It was rolled back.", CONTINUES
    if not migration.atomic:
        kept = "It is not atomic: what it had committed was kept, and it is not recorded."
        domain = get_domain_for(migration.app_label).name
        advice = f"Check the database, then run: manage.py repair_domain {domain} --resume"
    verb = "Reverting migration" if attempt.backwards else "Migration"
    return RunStopped.by(
        exc,
        f"{verb} {migration}",
        at=str(attempt),
        kept=f"{kept} Done before it in this run: {before}. {advice}",
    )


def stopped_at_commit(exc: KeyboardInterrupt, attempt: Attempt) -> RunStopped:
    """Return the error for a migration that the server has committed nevertheless."""
    done = "reverted" if attempt.backwards else "applied"
    kept = f"Migration {attempt.migration} is {done} and recorded. {CONTINUES}"
    return RunStopped.by(exc, "The run", kept=kept)
