"""What a plan is."""

from __future__ import annotations

from django.db.migrations.migration import Migration

from ..sources.files import MigrationKey

Plan = list[tuple[Migration, bool]]
"""Migrations in order, and whether each is undone; as Django's executor takes it."""


def applied_keys(plan: Plan) -> tuple[MigrationKey, ...]:
    """Return the migrations that a plan applies."""
    return tuple(MigrationKey.of(migration) for migration, backwards in plan if not backwards)
