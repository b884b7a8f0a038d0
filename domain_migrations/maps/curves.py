"""The curves between the boxes, as Graphviz gave them and as they are drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import dist, hypot

from .layout import Layout, Point
from .values import DomainMap

BOW = 40
"""How far apart curves are that join the same two domains, in pixels."""


def apart(picture: DomainMap, layout: Layout) -> Iterator[tuple[Point, ...]]:
    """Yield the curves, those that join the same two domains bowed so that each is seen."""
    pairs: dict[frozenset[str], list[int]] = defaultdict(list)
    for number, edge in enumerate(picture.edges):
        pairs[frozenset((edge.source, edge.target))].append(number)
    middles = [middle(curve) for curve in layout.curves]
    for number, (edge, curve) in enumerate(zip(picture.edges, layout.curves, strict=True)):
        pair = frozenset((edge.source, edge.target))
        near = [other for other in pairs[pair] if dist(middles[other], middles[number]) < BOW]
        bow = (near.index(number) - (len(near) - 1) / 2) * BOW
        yield _bowed(curve, bow if edge.source == min(pair) else -bow) if bow else curve


def _bowed(curve: tuple[Point, ...], by: float) -> tuple[Point, ...]:
    """Return the curve, its ends where they were and the rest moved to its right."""
    ends = len(curve) - (len(curve) - 1) % 3 - 1
    start, end = curve[0], curve[ends]
    length = hypot(end.x - start.x, end.y - start.y) or 1.0
    x, y = (start.y - end.y) / length * by, (end.x - start.x) / length * by
    return tuple(
        Point(round(point.x + x, 1), round(point.y + y, 1)) if 0 < place < ends else point
        for place, point in enumerate(curve)
    )


def path(curve: tuple[Point, ...]) -> str:
    start, *rest = [f"{point.x:g} {point.y:g}" for point in curve]
    bends = len(rest) - len(rest) % 3
    tip = f" L{rest[bends]}" if len(rest) > bends else ""
    return f"M{start} C{' '.join(rest[:bends])}{tip}"


def middle(curve: tuple[Point, ...]) -> Point:
    """Return the point half-way on the middle piece of the curve."""
    first = (len(curve) - 1) // 3 // 2 * 3
    start, one, two, end = curve[first : first + 4]
    return Point(
        (start.x + 3 * one.x + 3 * two.x + end.x) / 8, (start.y + 3 * one.y + 3 * two.y + end.y) / 8
    )
