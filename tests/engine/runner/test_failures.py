"""From what stopped a migration to what a person is told."""

from __future__ import annotations

import psycopg
from django.db.migrations import Migration

from domain_migrations.engine.runner.failures import Position, migration_error


class NonAtomic(Migration):
    atomic = False


def test_hint_names_the_domain_and_not_the_app() -> None:
    position = Position(NonAtomic("0001_initial", "contenttypes"), "forwards")
    assert migration_error(ValueError(), position, []).hint.endswith(
        "then run: manage.py repair_domain core --resume"
    )


def test_who_blocked_is_in_the_hint_which_the_journal_does_not_keep() -> None:
    position = Position(Migration("0001_initial", "hr"), "forwards")
    blamed = ": blocked by pid 7, idle in transaction, last ran: UPDATE people SET name = 'Smith'"
    failure = migration_error(psycopg.errors.LockNotAvailable("no"), position, [], blamed=blamed)
    assert "Smith" not in failure.message
    assert failure.hint.endswith(f" It was {blamed[2:]}.")
    other = migration_error(psycopg.errors.DivisionByZero("no"), position, [], blamed=blamed)
    assert "blocked" not in other.hint
