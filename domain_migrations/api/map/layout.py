"""Where everything goes: Graphviz says it, through the library that brings it along.

Graphviz gets sizes and numbers only, no names: nothing of what a project calls its domains
reaches it, no font is looked up, and the same map is laid out the same everywhere.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import dist, hypot
from typing import Any, NamedTuple

from ...exceptions import InvalidConfiguration
from .graph import DomainMap

POINTS_PER_INCH = 72
ONE_RING_UP_TO = 12
"""So many domains find a place on one ring around core; more get several rings, of which the
first takes ``INNER_RING``, the second twice as many, and so on."""
INNER_RING = 6
ROUTED_UP_TO = 60
"""Edges find their way around other boxes; with more of them that takes too long."""
GAP = 40

_LOCK = threading.Lock()  # The library below is not made for several threads.


class Point(NamedTuple):
    """A place in pixels, from the top left corner."""

    x: float
    y: float


class Size(NamedTuple):
    """How large a box is, in pixels."""

    width: float
    height: float


class Layout(NamedTuple):
    """Where the boxes' middles are, and each edge's Bézier curve with the arrow's tip behind it."""

    size: Size
    boxes: tuple[Point, ...]
    curves: tuple[tuple[Point, ...], ...]


def layout_graph(
    sizes: Sequence[Size], edges: Sequence[tuple[int, int]], *, ranked: bool = False
) -> Layout:
    """Return where boxes and edges go, the first box in the middle.

    Arguments:
        ranked: in columns instead, what is referred to behind what refers to it.

    Raises:
        InvalidConfiguration: the library is not installed.
    """
    try:
        from pygraphviz import AGraph
    except ImportError as exc:
        raise InvalidConfiguration(
            "The picture cannot be laid out, because pygraphviz is not installed.",
            hint="Install it: pip install 'django-domain-migrations[map]'. The formats mermaid,"
            " dot and json do without.",
        ) from exc
    with _LOCK:
        graph: Any = AGraph(strict=False, directed=True)
        graph.graph_attr.update(
            root="0",
            overlap="vpsc",
            sep=f"+{GAP // 2}",
            ranksep=f"{_radius(sizes) / POINTS_PER_INCH:.4f}",
            splines="true" if len(sizes) <= ROUTED_UP_TO + 1 else "line",
        )
        graph.node_attr.update(shape="box", fixedsize="true", label="")
        for number, size in enumerate(sizes):
            graph.add_node(number, **_inches(size))
        for number, (source, target) in enumerate(edges):
            graph.add_edge(source, target, key=str(number), weight="0")
        if ranked:
            graph.graph_attr.update(rankdir="LR", ranksep="0.5", nodesep="0.2", splines="true")
        else:
            # What an edge joins does not say where it goes: core is in the middle of those too
            # that do not use it.
            for number, inner in _rings(len(sizes)):
                graph.add_edge(number, inner, key=f"ring{number}")
        graph.layout(prog="dot" if ranked else "twopi")
        try:
            return _read(graph, len(sizes), edges)
        finally:
            graph.close()


def _radius(sizes: Sequence[Size]) -> float:
    """Return how far rings are from each other, so that hardly any box has to make way."""
    around = len(sizes) - 1
    crowd = max(1.0, around / 8) if around <= ONE_RING_UP_TO else 1.0
    return (max(size.width for size in sizes) + GAP) * crowd


def _rings(boxes: int) -> Iterator[tuple[int, int]]:
    """Yield each box and the one towards the middle that it hangs on."""
    inner, first = [0], 1
    capacity = INNER_RING if boxes - 1 > ONE_RING_UP_TO else boxes
    while first < boxes:
        ring = list(range(first, min(boxes, first + capacity)))
        for place, number in enumerate(ring):
            yield number, inner[place * len(inner) // len(ring)]
        inner, first, capacity = ring, first + len(ring), capacity + INNER_RING


def _inches(size: Size) -> Mapping[str, str]:
    return {name: f"{value / POINTS_PER_INCH:.4f}" for name, value in size._asdict().items()}


def _read(graph: Any, boxes: int, edges: Sequence[tuple[int, int]]) -> Layout:
    left, bottom, right, top = (float(part) for part in graph.graph_attr["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")[-2:]
        return Point(round(float(x) - left, 1), round(top - float(y), 1))

    def curve(text: str) -> tuple[Point, ...]:
        # "e,x,y" is the arrow's tip, in front of the curve that leads to it.
        tips = [part for part in text.split() if part.startswith("e,")]
        return tuple(
            point(part) for part in [*(part for part in text.split() if part not in tips), *tips]
        )

    return Layout(
        Size(round(right - left, 1), round(top - bottom, 1)),
        tuple(point(graph.get_node(number).attr["pos"]) for number in range(boxes)),
        tuple(
            curve(graph.get_edge(source, target, key=str(number)).attr["pos"])
            for number, (source, target) in enumerate(edges)
        ),
    )


PARALLEL_GAP = 40
"""How far apart curves are that join the same two domains, in pixels."""


def separate_parallel_edges(picture: DomainMap, layout: Layout) -> Iterator[tuple[Point, ...]]:
    """Yield the curves, those that join the same two domains bowed so that each is seen."""
    pairs: dict[frozenset[str], list[int]] = defaultdict(list)
    for number, edge in enumerate(picture.edges):
        pairs[frozenset((edge.source, edge.target))].append(number)
    middles = [middle(curve) for curve in layout.curves]
    for number, (edge, curve) in enumerate(zip(picture.edges, layout.curves, strict=True)):
        pair = frozenset((edge.source, edge.target))
        near = [
            other for other in pairs[pair] if dist(middles[other], middles[number]) < PARALLEL_GAP
        ]
        bow = (near.index(number) - (len(near) - 1) / 2) * PARALLEL_GAP
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
