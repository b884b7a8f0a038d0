"""What the last runs applied, for undoing them batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...exceptions import DependencyNotApplied, UnknownTarget
from ..history.journal_queries import JournalEntry
from ..sources.files import MigrationKey
from .loader import DomainLoader
from .plan import Plan
from .recording import REPLACED, recorded_keys

Replaced = Mapping[tuple[str, str], frozenset[tuple[str, str]]]
"""Squashed migration → those it replaces."""


def squash_map(loader: DomainLoader) -> Replaced:
    """Return what the squashed migrations on disk replace, those that are squashed twice too."""
    return {
        key: frozenset(recorded_keys(loader, migration)) - {key}
        for key, migration in loader.replacements.items()
    }


def last_batches(
    entries: Iterable[JournalEntry],
    applied: Iterable[tuple[str, str]],
    count: int,
    replaced: Replaced,
) -> list[MigrationKey]:
    """Return the applied migrations of the last batches, latest first.

    A batch is what one run applied and what of it is still applied. Migrations that the
    journal does not know, because they were applied before there was one, are in no batch.
    Nor is a squashed migration that was recorded because those it replaces are applied: they
    are in the batches of their own.

    Arguments:
        entries: the domain's journal, oldest first.
        applied: the domain's history.
        count: how many batches.
        replaced: what goes when a squashed migration is undone.
    """
    latest: dict[tuple[str, str], JournalEntry] = {}
    for entry in entries:
        key = MigrationKey(entry.app, entry.name)
        if entry.status not in ("done", "faked"):
            continue
        if entry.direction == "forwards" and not entry.details.get(REPLACED):
            latest[key] = entry
        elif entry.direction == "backwards":
            for undone in (key, *replaced.get(key, ())):
                latest.pop(undone, None)
    still = set(applied)
    found = {MigrationKey(*key): entry for key, entry in latest.items() if key in still}
    batches = sorted({entry.batch for entry in found.values()}, reverse=True)[:count]
    chosen = [key for key, entry in found.items() if entry.batch in batches]
    return sorted(chosen, key=lambda key: found[key].id, reverse=True)


def rollback_plan(loader: DomainLoader, wanted: Sequence[MigrationKey]) -> Plan:
    """Return the plan that undoes the migrations, dependants before what they stand on.

    Raises:
        UnknownTarget: a migration is no longer on disk, or a squashed one stands for it and for
            others that stay.
        DependencyNotApplied: a migration outside the batches stands on one inside.
    """
    graph, applied = loader.graph, loader.applied_migrations
    nodes = _nodes_on_disk(loader, wanted)
    plan: Plan = []
    seen: set[tuple[str, str]] = set()
    for key in nodes:
        for node in graph.backwards_plan(key):
            if node not in applied or node in seen:
                continue
            if node not in nodes:
                raise DependencyNotApplied(
                    f"{node[0]}.{node[1]}, applied in another batch, stands on {key[0]}.{key[1]}.",
                    hint="Undo more batches, or give a TARGET. Nothing was changed.",
                )
            seen.add(node)
            plan.append((graph.nodes[node], True))
    return plan


def _nodes_on_disk(loader: DomainLoader, wanted: Sequence[MigrationKey]) -> list[tuple[str, str]]:
    """Return the migrations as they are on disk: squashed ones instead of those they replace."""
    nodes: dict[tuple[str, str], None] = {}
    squashed = {
        part: (squash, parts)
        for squash, parts in squash_map(loader).items()
        if squash in loader.graph.nodes
        for part in parts
    }
    gone = [key for key in wanted if key not in loader.graph.nodes and key not in squashed]
    if gone:
        raise UnknownTarget(
            f"{', '.join(map(str, gone))} of the batch to undo"
            f" {'is' if len(gone) == 1 else 'are'} not on disk.",
            hint="Deploy the code that has it and run the command again. Nothing was changed.",
        )
    for key in wanted:
        node, parts = squashed.get(key, (key, frozenset()))
        if any(part in loader.applied_migrations and part not in wanted for part in parts):
            raise UnknownTarget(
                f"{key} of the batch to undo has been replaced by {node[0]}.{node[1]}, which is"
                " more than the batch, so the history cannot go there.",
                hint="Undo more batches, or give a TARGET. Nothing was changed.",
            )
        nodes[node] = None
    return list(nodes)
