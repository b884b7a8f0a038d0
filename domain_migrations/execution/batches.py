"""What the last runs applied, for undoing them batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..exceptions import DependencyNotApplied, UnknownTarget
from ..files import MigrationKey
from ..history.journal import Entry
from .loader import DomainLoader
from .plans import Plan


def last_batches(
    entries: Iterable[Entry], applied: Iterable[tuple[str, str]], count: int
) -> list[MigrationKey]:
    """Return the applied migrations of the last batches, latest first.

    A batch is what one run applied and what of it is still applied. Migrations that the
    journal does not know, because they were applied before there was one, are in no batch.

    Arguments:
        entries: the domain's journal, oldest first.
        applied: the domain's history.
        count: how many batches.
    """
    still = set(applied)
    latest = {
        MigrationKey(entry.app, entry.name): entry
        for entry in entries
        if entry.direction == "forwards" and entry.status in ("done", "faked")
    }
    found = {key: entry for key, entry in latest.items() if key in still}
    batches = sorted({entry.batch for entry in found.values()}, reverse=True)[:count]
    chosen = [key for key, entry in found.items() if entry.batch in batches]
    return sorted(chosen, key=lambda key: found[key].id, reverse=True)


def rollback_plan(loader: DomainLoader, wanted: Sequence[MigrationKey]) -> Plan:
    """Return the plan that undoes the migrations, dependants before what they stand on.

    Raises:
        UnknownTarget: a migration is no longer on disk.
        DependencyNotApplied: a migration outside the batches stands on one inside.
    """
    graph, applied = loader.graph, loader.applied_migrations
    gone = [key for key in wanted if key not in graph.nodes]
    if gone:
        raise UnknownTarget(
            f"{', '.join(map(str, gone))} of the batch to undo is not on disk.",
            hint="Deploy the code that has it and run the command again. Nothing was changed.",
        )
    plan: Plan = []
    seen: set[tuple[str, str]] = set()
    for key in wanted:
        for node in graph.backwards_plan(key):
            if node not in applied or node in seen:
                continue
            if node not in wanted:
                raise DependencyNotApplied(
                    f"{node[0]}.{node[1]}, applied in another batch, stands on {key}.",
                    hint="Undo more batches, or give a TARGET. Nothing was changed.",
                )
            seen.add(node)
            plan.append((graph.nodes[node], True))
    return plan
