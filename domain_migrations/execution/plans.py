"""What a plan is."""

from __future__ import annotations

from django.db.migrations.migration import Migration

Plan = list[tuple[Migration, bool]]
"""Migrations in order, and whether each is undone; as Django's executor takes it."""
