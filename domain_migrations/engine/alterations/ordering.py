"""The order of objects that need one another."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from .definition import Key, SchemaDefinition

RANK = (
    *("schema", "extension", "collation", "type", "sequence", "function", "procedure"),
    *("window function", "aggregate", "operator", "table", "foreign table", "column"),
    *("constraint", "index", "statistics", "view", "materialized view", "rule", "trigger"),
    "policy",
)
"""The order of what does not need one another."""


def in_order(
    keys: Collection[Key],
    after: Mapping[Key, Collection[Key]],
    definition: SchemaDefinition,
    *,
    backwards: bool = False,
) -> list[Key]:
    """Return the keys, each after those that it has to come after.

    What is in a circle keeps the usual order.

    Arguments:
        after: key → those before it; also through keys that are not among them.
        backwards: reverse the usual order.
    """
    chosen = set(keys)
    before = {key: reached(key, after, chosen) for key in chosen}
    usual = sorted(chosen, key=lambda key: _place(key, definition), reverse=backwards)
    places = {key: place for place, key in enumerate(usual)}
    followers: dict[Key, list[Key]] = {}
    for key, others in before.items():
        for other in others:
            followers.setdefault(other, []).append(key)
    waiting = {key: len(others) for key, others in before.items()}
    ready = [(places[key], key) for key, count in waiting.items() if not count]
    heapq.heapify(ready)
    found: list[Key] = []
    while waiting:
        if not ready:
            first = min(waiting, key=lambda key: places[key])
            heapq.heappush(ready, (places[first], first))
        _, key = heapq.heappop(ready)
        if waiting.pop(key, None) is None:
            continue
        found.append(key)
        for other in followers.get(key, ()):
            if other in waiting:
                waiting[other] -= 1
                if not waiting[other]:
                    heapq.heappush(ready, (places[other], other))
    return found


def reached(key: Key, links: Mapping[Key, Collection[Key]], chosen: Collection[Key]) -> set[Key]:
    """Return the chosen keys that a key leads to, through others or directly."""
    found: set[Key] = set()
    seen, waiting = {key}, [key]
    while waiting:
        for other in links.get(waiting.pop(), ()):
            if other in seen:
                continue
            seen.add(other)
            if other in chosen:
                found.add(other)
            else:
                waiting.append(other)
    return found


def _place(key: Key, definition: SchemaDefinition) -> tuple[int, int, int, str]:
    kind, name = key
    rank = RANK.index(kind) if kind in RANK else len(RANK)
    item = definition.objects.get(key)
    is_key = item is not None and item.is_foreign_key
    position = 0
    if item is not None and kind == "column":
        columns = definition.columns.get(item.table, [])
        position = next((i for i, column in enumerate(columns) if column.key == key), 0)
    return rank, is_key, position, name
