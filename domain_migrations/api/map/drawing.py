"""Pictures of boxes and arrows, drawn by Graphviz.

Graphviz gets sizes and numbers only, never a name: it looks up no font, and equal graphs give
equal pictures on every machine. Text, links and accessible names are added to its SVG.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ...exceptions import InvalidConfiguration
from .graph import display_width, strip_control

SVG = "http://www.w3.org/2000/svg"
POINTS_PER_INCH = 72
LETTER = 7.6
"""Average width of a letter at the style sheet's size, in pixels, rounded up."""
LINE = 20
MARGIN = 24
LARGE = 12
"""A picture of more boxes is not shrunk to fit the page, which would make it unreadable."""
BOXES_IN_ROWS = 6
"""Boxes that find a place above the base; more stand in columns beside it."""
CURVES_UP_TO = 200
"""Arrows that are curves around the boxes; finding the way of more takes too long."""
BADGE = (
    '<<TABLE BORDER="1" STYLE="rounded" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"'
    ' FIXEDSIZE="TRUE" WIDTH="{:.0f}" HEIGHT="24"><TR><TD></TD></TR></TABLE>>'
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

_LOCK = threading.Lock()  # Graphviz is not made for several threads.


@dataclass(frozen=True)
class Box:
    """A box with lines of text.

    Attributes:
        lines: each as its class in the style sheet and its text.
        label: the accessible name; none for a box that only shows its text.
        url: the address that a click leads to.
    """

    lines: tuple[tuple[str, str], ...]
    classes: str = "node"
    label: str = ""
    url: str | None = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in pixels."""
        longest = max(display_width(text) for _, text in self.lines)
        return max(longest * LETTER, 64) + 32, len(self.lines) * LINE + 20


@dataclass(frozen=True)
class Arrow:
    """An arrow from one box to another, both by their position, with or without a badge."""

    source: int
    target: int
    classes: str
    badge: str = ""
    label: str = ""
    url: str | None = None


def draw(boxes: Sequence[Box], arrows: Sequence[Arrow], *, base: bool = False) -> Element:
    """Return the boxes and arrows as an ``svg`` element, what is referred to after its users.

    Arguments:
        base: whether the first box is the one that all others are built on.

    Raises:
        InvalidConfiguration: pygraphviz is not installed.
    """
    try:
        from pygraphviz import AGraph
    except ImportError as exc:
        raise InvalidConfiguration(
            "The picture cannot be drawn, because pygraphviz is not installed.",
            hint="Install it: pip install 'pygraphviz>=2'. The formats mermaid,"
            " dot and json work without it.",
        ) from exc
    in_rows = base and len(boxes) <= BOXES_IN_ROWS
    columns = 1 if in_rows or not base else max(1, round((len(boxes) / 6) ** 0.5))
    with _LOCK:
        graph: Any = AGraph(strict=False, directed=True)
        graph.graph_attr.update(
            rankdir="TB" if in_rows else "LR",
            pad=f"{MARGIN / POINTS_PER_INCH:.4f}",
            ranksep="0.5",
            nodesep="0.3",
            bgcolor="transparent",
            splines="true" if len(arrows) <= CURVES_UP_TO else "line",
        )
        graph.node_attr.update(shape="box", style="rounded", fixedsize="true", label="")
        graph.edge_attr.update(arrowsize="0.9")
        for number, box in enumerate(boxes):
            width, height = (f"{pixels / POINTS_PER_INCH:.4f}" for pixels in box.size)
            graph.add_node(number, id=f"box{number}", width=width, height=height)
        for number, arrow in enumerate(arrows):
            attributes = {"minlen": str(1 + arrow.source % columns)} if arrow.target == 0 else {}
            if arrow.badge:
                badge_width = max(display_width(arrow.badge) * LETTER + 16, 28)
                attributes["label"] = BADGE.format(badge_width)
            graph.add_edge(
                arrow.source, arrow.target, key=number, id=f"arrow{number}", **attributes
            )
        users = {arrow.source for arrow in arrows if arrow.target == 0}
        for number in set(range(1, len(boxes))) - users if base else ():
            graph.add_edge(number, 0, style="invis", minlen=str(1 + number % columns))
        try:
            drawn = graph.draw(format="svg", prog="dot")
        finally:
            graph.close()
    root = ElementTree.fromstring(drawn)  # noqa: S314  written by Graphviz a moment ago
    _finish(root, boxes, arrows)
    return root


def _finish(root: Element, boxes: Sequence[Box], arrows: Sequence[Arrow]) -> None:
    """Put text, classes and links into what Graphviz has drawn, in the given order."""
    ElementTree.register_namespace("", SVG)
    [canvas] = root
    parts = {part.get("id"): part for part in canvas}
    canvas[:] = [
        *(_arrow(parts[f"arrow{number}"], arrow) for number, arrow in enumerate(arrows)),
        *(_box(parts[f"box{number}"], box) for number, box in enumerate(boxes)),
    ]
    canvas.attrib = {"transform": canvas.attrib["transform"]}
    _, _, width, height = root.attrib["viewBox"].split()
    size = "domain-map domain-map--large" if len(boxes) > LARGE else "domain-map"
    root.attrib = {"class": size, "role": "img"}
    resize(root, float(width), float(height))


def resize(root: Element, width: float, height: float) -> None:
    """Give the picture a size in pixels."""
    root.attrib |= {
        "width": f"{width:g}",
        "height": f"{height:g}",
        "viewBox": f"0 0 {width:g} {height:g}",
    }


def _arrow(part: Element, arrow: Arrow) -> Element:
    line, *badges = part.iter(f"{{{SVG}}}path")
    line.set("class", "line")
    hit = Element(f"{{{SVG}}}path", {"class": "hit", "d": line.attrib["d"]})
    hit.attrib |= {"fill": "none", "stroke": "none"}
    part.insert(list(part).index(line), hit)
    for head in part.iter(f"{{{SVG}}}polygon"):
        head.set("class", "arrow")
    for badge in badges:
        badge.attrib |= {"class": "badge", "fill": "white"}
        x, y = _middle(badge)
        add_text(part, arrow.badge, x, y + 5, "count")
    return _named(part, arrow.classes, arrow.label, arrow.url)


def _box(part: Element, box: Box) -> Element:
    for shape in part.iter(f"{{{SVG}}}path"):
        shape.attrib |= {"class": "box", "fill": "white"}
        x, y = _middle(shape)
        top = y - box.size[1] / 2 + 10
        for number, (classes, text) in enumerate(box.lines):
            add_text(part, text, x, top + LINE * (number + 0.75), classes)
    return _named(part, box.classes, box.label, box.url)


def _middle(path: Element) -> tuple[float, float]:
    numbers = [float(number) for number in NUMBER.findall(path.attrib["d"])]
    xs, ys = numbers[::2], numbers[1::2]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def add_text(
    parent: Element, text: str, x: float, y: float, classes: str, *, anchor: str = "middle"
) -> None:
    """Add a line of text, centred unless ``anchor`` says otherwise."""
    attributes = {"class": classes, "x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    SubElement(parent, f"{{{SVG}}}text", attributes).text = strip_control(text)


def _named(part: Element, classes: str, label: str, url: str | None) -> Element:
    """Make a group a link where it has an address, with a name for screen readers."""
    part.attrib = {"class": classes}
    title = part.find(f"{{{SVG}}}title")
    assert title is not None  # noqa: S101 (for mypy)
    if label:
        title.text = strip_control(label)
    else:
        part.remove(title)
    if url is not None:
        part.tag = f"{{{SVG}}}a"
        part.attrib |= {"href": url, "aria-label": strip_control(label)}
    return part
