"""The map as SVG, without scripts, and without styles or fonts from elsewhere.

All looks are classes of the static style sheet ``domain_migrations/map.css``, which a file of
its own includes; the few attributes on the elements keep it readable without.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ...domains import CORE
from .drawing import LETTER, LINE, MARGIN, SVG, Arrow, Box, add_text, draw, resize
from .graph import (
    FOREIGN_KEY,
    KINDS,
    PLURALS,
    VIOLATION,
    DomainMap,
    Edge,
    Node,
    display_width,
    strip_control,
)

STYLESHEET = Path(__file__).resolve().parents[2] / "static/domain_migrations/map.css"

LONGEST = 44
LINKS_IN_TITLE = 12


def svg(picture: DomainMap, addresses: Mapping[str, str] | None = None) -> str:
    """Return the map as a file of its own, or, with addresses, as part of a page.

    Arguments:
        addresses: domain → the address that a click on it leads to, where there is one. A click
            on an edge leads to its ``html_id`` in the page.
    """
    places = {node.name: number for number, node in enumerate(picture.nodes)}
    root = draw(
        [_box(node, (addresses or {}).get(node.name)) for node in picture.nodes],
        [
            Arrow(
                places[edge.source],
                places[edge.target],
                f"edge edge--{edge.kind}",
                _badge(edge),
                _with_links(edge) if addresses is None else edge.sentence,
                None if addresses is None else f"#{edge.html_id}",
            )
            for edge in picture.edges
        ],
        base=True,
    )
    root.attrib |= {
        "role": "img" if addresses is None else "group",
        "aria-labelledby": "domain-map-title",
        "aria-describedby": "domain-map-desc",
    }
    title = Element(f"{{{SVG}}}title", {"id": "domain-map-title"})
    title.text = "Map of the domains"
    description = Element(f"{{{SVG}}}desc", {"id": "domain-map-desc"})
    sentences = [f"{edge.sentence}." for edge in picture.edges]
    sentences += [f"{node.name}: {', '.join(node.ids)}." for node in picture.nodes if node.ids]
    description.text = strip_control(" ".join([picture.summary, *sentences]))
    style = Element(f"{{{SVG}}}style")
    style.text = STYLESHEET.read_text()
    root[:0] = [title, description, *([style] if addresses is None else [])]
    _add_legend(picture, root)
    return ElementTree.tostring(root, encoding="unicode")


def _box(node: Node, url: str | None) -> Box:
    lines = [("name", node.name), ("detail", node.detail)]
    if node.ids:
        lines.append(("violations", ", ".join(node.ids)))
    states = {
        "core": node.name == CORE,
        "violating": bool(node.ids),
        "absent": not node.installed,
    }
    return Box(
        tuple((name, _short(strip_control(text))) for name, text in lines),
        " ".join(["node", *(f"node--{state}" for state, holds in states.items() if holds)]),
        ", ".join([f"Domain {node.name}", node.detail, *node.ids]),
        url,
    )


def _short(text: str) -> str:
    while display_width(text) > LONGEST:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def _badge(edge: Edge) -> str:
    if edge.kind != VIOLATION:
        return str(len(edge.links))
    return " ".join(edge.ids[:3]) + (" …" if edge.ids[3:] else "")


def _with_links(edge: Edge) -> str:
    """Return the edge with its links, for where a click leads nowhere."""
    shown = [
        link.message or f"{link.source} → {link.target}" for link in edge.links[:LINKS_IN_TITLE]
    ]
    more = len(edge.links) - len(shown)
    return "; ".join([edge.sentence, *shown, *([f"and {more} more"] if more else [])])


def _add_legend(picture: DomainMap, root: Element) -> None:
    """Explain the kinds of lines in the picture, on a line below it."""
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    x, y = float(MARGIN), height + 10
    kinds = [kind for kind in KINDS if any(edge.kind == kind for edge in picture.edges)]
    for kind in kinds:
        words = PLURALS[kind][1] + (" to core" if kind == FOREIGN_KEY else "")
        group = SubElement(root, f"{{{SVG}}}g", {"class": f"edge edge--{kind}"})
        line = {"class": "line", "d": f"M{x:g} {y:g}h30", "fill": "none", "stroke": "black"}
        SubElement(group, f"{{{SVG}}}path", line)
        head = f"{x + 28:g},{y - 4:g} {x + 37:g},{y:g} {x + 28:g},{y + 4:g}"
        SubElement(group, f"{{{SVG}}}polygon", {"class": "arrow", "points": head})
        add_text(group, words, x + 44, y + 5, "legend", anchor="start")
        x += 44 + display_width(words) * LETTER + 24
    if kinds:
        resize(root, max(width, x), height + 2 * LINE)
