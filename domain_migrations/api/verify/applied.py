"""The migrations that a database has, in a graph of those on disk."""

from __future__ import annotations

from django.db.migrations import Migration

from ...engine.runner.loader import DomainLoader


def applied_migrations(loader: DomainLoader) -> list[Migration]:
    applied = applied_keys(loader)
    return [
        migration
        for key, migration in loader.graph.nodes.items()
        if key in applied and key[0] in loader.domain.app_labels
    ]


def applied_keys(loader: DomainLoader) -> set[tuple[str, str]]:
    """Return the applied migrations and all that they depend on, whose rows may be lost.

    A migration that was applied has changed what those before it made.
    """
    applied: set[tuple[str, str]] = set()
    for key in loader.graph.nodes.keys() & loader.applied_migrations.keys():
        applied.update(loader.graph.forwards_plan(key))
    return applied
