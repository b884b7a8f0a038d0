"""Project states: what migrations add up to."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from .loader import DomainLoader
from .rendering import RenderingState


def applied_state(loader: DomainLoader) -> ProjectState:
    """Return the project state that the loaded and applied migrations add up to.

    Mirrors ``MigrationExecutor._create_project_state``.
    """
    return state_of(loader, loader.applied_migrations)


def state_of(
    loader: DomainLoader,
    done: Collection[tuple[str, str]],
    *,
    until: Migration | None = None,
) -> ProjectState:
    """Return the project state that the loaded migrations among ``done`` add up to.

    Arguments:
        until: the migration before which to stop.
    """
    state = RenderingState(real_apps=loader.unmigrated_apps)
    for key in in_order(loader):
        if until is not None and key == (until.app_label, until.name):
            break
        if key in done:
            loader.graph.nodes[key].mutate_state(state, preserve=False)
    return state


def in_order(loader: DomainLoader) -> Iterator[tuple[str, str]]:
    """Yield all migrations as Django would apply them to an empty database."""
    seen: set[tuple[str, str]] = set()
    for leaf in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(leaf):
            if key not in seen:
                seen.add(key)
                yield key
