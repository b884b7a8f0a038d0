"""What a plan is."""

from __future__ import annotations

from django.db.migrations.migration import Migration

from ..sources.files import MigrationKey

Plan = list[tuple[Migration, bool]]
"""Migrations in order, and whether each is undone; as Django's executor takes it."""


def applied_keys(plan: Plan) -> tuple[MigrationKey, ...]:
    """Return the migrations that a plan applies."""
    return tuple(
        MigrationKey(migration.app_label, migration.name)
        for migration, backwards in plan
        if not backwards
    )


def migration_key(migration: Migration) -> MigrationKey:
    """Return a migration's app label and name."""
    return MigrationKey(migration.app_label, migration.name)
