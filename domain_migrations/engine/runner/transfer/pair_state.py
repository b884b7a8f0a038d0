"""The project states before and after the halves of a transfer, as far as both are loaded."""

from __future__ import annotations

from django.db.migrations.state import ProjectState

from ...sources.transfer_halves import Half
from ..loader import DomainLoader


def state_with_received(loader: DomainLoader, half: Half, state: ProjectState) -> ProjectState:
    """Return the state before a half: with the model that the other one creates before it."""
    if half.receives or (half.partner.app, half.model.lower()) in state.models:
        return state
    return _after(loader, half.partner, state)


def state_after_both(loader: DomainLoader, half: Half, state: ProjectState) -> ProjectState:
    """Return the state after both halves: the one that receives comes first."""
    keys = (half.key, half.partner) if half.receives else (half.partner, half.key)
    for key in keys:
        state = _after(loader, key, state)
    return state


def _after(loader: DomainLoader, key: tuple[str, str], state: ProjectState) -> ProjectState:
    migration = loader.graph.nodes.get(tuple(key))
    if migration is None:
        return state
    changed: ProjectState = migration.mutate_state(state, preserve=False)
    return changed
