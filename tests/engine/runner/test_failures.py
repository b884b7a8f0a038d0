"""The errors that report why a migration failed."""

from __future__ import annotations

import psycopg
import pytest
from django.db.migrations import Migration

from domain_migrations.engine.runner.attempts import Attempt
from domain_migrations.engine.runner.failures import migration_error


class NonAtomic(Migration):
    atomic = False


def test_hint_names_the_domain_and_not_the_app() -> None:
    attempt = Attempt(NonAtomic("0001_initial", "contenttypes"), "forwards")
    assert migration_error(ValueError(), attempt, []).hint.endswith(
        "then run: manage.py repair_domain core --resume"
    )


def test_blockers_are_in_the_hint_which_the_journal_does_not_keep() -> None:
    attempt = Attempt(Migration("0001_initial", "hr"), "forwards")
    blockers = "blocked by pid 7, idle in transaction, last ran: UPDATE people SET name = 'Smith'"
    timeout = psycopg.errors.LockNotAvailable("no")
    failure = migration_error(timeout, attempt, [], blockers=blockers)
    assert "Smith" not in failure.message
    assert failure.hint.endswith(f" It was {blockers}.")
    other = migration_error(psycopg.errors.DivisionByZero("no"), attempt, [], blockers=blockers)
    assert "blocked" not in other.hint


@pytest.mark.parametrize(
    ("message", "is_about_locks"), [("out of shared memory", True), ("out of memory", False)]
)
def test_a_full_table_of_locks_names_the_setting(message: str, is_about_locks: bool) -> None:
    attempt = Attempt(Migration("0001_initial", "hr"), "forwards")
    failure = migration_error(psycopg.errors.OutOfMemory(message), attempt, [])
    assert ("max_locks_per_transaction" in failure.hint) == is_about_locks
    assert failure.hint.endswith("run the command again; it continues from here.")
