"""The map as SVG: what Graphviz placed, drawn without scripts, styles or fonts from elsewhere.

All looks are classes of the static style sheet ``domain_migrations/map.css``, which a file of
its own carries along; the few attributes on the elements keep it readable without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from ...domains import CORE
from .graph import FOREIGN_KEY, KINDS, PLURALS, VIOLATION, DomainMap, Edge, Node
from .layout import Layout, Point, Size, layout_graph, middle, path, separate_parallel_edges
from .text import display_width, strip_control

STYLESHEET = Path(__file__).resolve().parents[2] / "static/domain_migrations/map.css"

MARGIN = 24
LETTER = 7.6
"""How wide a letter is at most on average, in pixels, at the style sheet's size."""
LINE = 20
LONGEST = 44
LINKS_IN_TITLE = 12

LARGE = 12
"""A map of more domains is not shrunk to fit the page: nobody could read it."""


def svg(
    picture: DomainMap,
    *,
    node_url: Callable[[Node], str | None] | None = None,
    edge_url: Callable[[Edge], str] | None = None,
) -> str:
    """Return the map as a file of its own, or, with addresses to lead to, as part of a page.

    Arguments:
        node_url: where a click on a domain leads; None for nowhere.
        edge_url: where a click on an edge leads.

    Raises:
        InvalidConfiguration: the library that lays it out is not installed.
    """
    lines = {node.name: _lines(node) for node in picture.nodes}
    sizes = [_size(lines[node.name]) for node in picture.nodes]
    places = {node.name: number for number, node in enumerate(picture.nodes)}
    layout = layout_graph(
        sizes, [(places[edge.source], places[edge.target]) for edge in picture.edges]
    )
    in_page = edge_url is not None
    legend, legend_width = _legend(picture, layout.size.height + 2 * MARGIN)
    whole = Size(
        max(layout.size.width, legend_width) + 2 * MARGIN,
        layout.size.height + 2 * MARGIN + (LINE * 2 if legend else 0),
    )
    parts = [
        _head(whole, role="group" if in_page else "img", large=len(sizes) > LARGE),
        f'<title id="domain-map-title">{_text("Map of the domains")}</title>',
        f'<desc id="domain-map-desc">{_text(_description(picture))}</desc>',
        "" if in_page else f"<style>{escape(STYLESHEET.read_text(), quote=False)}</style>",
        _arrows(),
        f'<g transform="translate({MARGIN},{MARGIN})">',
        *_edges(picture, layout, edge_url),
        *(
            _box(node, lines[node.name], at, size, node_url(node) if node_url else None)
            for node, at, size in zip(picture.nodes, layout.boxes, sizes, strict=True)
        ),
        "</g>",
        *legend,
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(whole: Size, *, role: str, large: bool) -> str:
    box = f"{whole.width:g} {whole.height:g}"
    classes = "domain-map domain-map--large" if large else "domain-map"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="{role}"'
        ' aria-labelledby="domain-map-title" aria-describedby="domain-map-desc"'
        f' width="{whole.width:g}" height="{whole.height:g}" viewBox="0 0 {box}">'
    )


def _text(text: str) -> str:
    return escape(strip_control(text))


def _description(picture: DomainMap) -> str:
    sentences = [f"{edge.sentence}." for edge in picture.edges]
    sentences += [f"{node.name}: {', '.join(node.ids)}." for node in picture.nodes if node.ids]
    return " ".join([picture.summary, *sentences])


def _arrows() -> str:
    markers = "".join(
        f'<marker id="domain-map-arrow-{kind}" class="arrow arrow--{kind}" viewBox="0 0 10 10"'
        ' refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse"'
        ' orient="auto"><path d="M0 0 10 5 0 10z"/></marker>'
        for kind in KINDS
    )
    return f"<defs>{markers}</defs>"


def _lines(node: Node) -> tuple[str, ...]:
    lines = [node.name, node.detail, *([", ".join(node.ids)] if node.ids else [])]
    return tuple(_short(strip_control(line)) for line in lines)


def _short(text: str) -> str:
    while display_width(text) > LONGEST:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def _size(lines: tuple[str, ...]) -> Size:
    longest = max(display_width(line) for line in lines)
    return Size(max(longest * LETTER, 64) + 32, len(lines) * LINE + 20)


def _link(inner: str, *, classes: str, label: str, url: str | None) -> str:
    """Return a group; a link with a name for those who hear it, where it leads somewhere."""
    title = f"<title>{_text(label)}</title>"
    if url is None:
        return f'<g class="{classes}">{title}{inner}</g>'
    return (
        f'<a class="{classes}" href="{escape(url)}" aria-label="{_text(label)}">{title}{inner}</a>'
    )


def _box(node: Node, lines: tuple[str, ...], at: Point, size: Size, url: str | None) -> str:
    left, top = at.x - size.width / 2, at.y - size.height / 2
    rows = [
        f'<text class="{"violations" if number == 2 else "detail" if number else "name"}"'
        f' x="{at.x:g}" y="{top + 10 + LINE * (number + 0.75):g}" text-anchor="middle">'
        f"{_text(line)}</text>"
        for number, line in enumerate(lines)
    ]
    box = (
        f'<rect x="{left:g}" y="{top:g}" width="{size.width:g}" height="{size.height:g}" rx="8"'
        ' fill="#fff" stroke="#333"/>'
    )
    states = [
        state
        for state, holds in (
            ("core", node.name == CORE),
            ("violating", bool(node.ids)),
            ("absent", not node.installed),
        )
        if holds
    ]
    classes = " ".join(["node", *(f"node--{state}" for state in states)])
    label = ", ".join([f"Domain {node.name}", node.detail, *node.ids])
    return _link("".join([box, *rows]), classes=classes, label=label, url=url)


def _edges(
    picture: DomainMap, layout: Layout, edge_url: Callable[[Edge], str] | None
) -> Iterator[str]:
    """Yield the edges, those that break the rule above the others."""
    both = zip(picture.edges, separate_parallel_edges(picture, layout), strict=True)
    for edge, curve in sorted(both, key=lambda pair: KINDS.index(pair[0].kind)):
        d = path(curve)
        inner = (
            f'<path class="hit" d="{d}" fill="none" stroke="none"/>'
            f'<path class="line" d="{d}" fill="none" stroke="#555"'
            f' marker-end="url(#domain-map-arrow-{edge.kind})"/>{_badge(edge, middle(curve))}'
        )
        yield _link(
            inner,
            classes=f"edge edge--{edge.kind}",
            label=edge.sentence if edge_url else _listed(edge),
            url=edge_url(edge) if edge_url else None,
        )


def _listed(edge: Edge) -> str:
    """Return the edge with its links, for where a click leads nowhere."""
    shown = [
        link.message or f"{link.source} → {link.target}" for link in edge.links[:LINKS_IN_TITLE]
    ]
    more = len(edge.links) - len(shown)
    return "; ".join([edge.sentence, *shown, *([f"and {more} more"] if more else [])])


def _badge(edge: Edge, at: Point) -> str:
    label = " ".join(edge.ids[:3]) if edge.kind == VIOLATION else str(len(edge.links))
    if len(edge.ids) > 3:
        label += " …"
    wide = max(display_width(label) * LETTER + 16, 28)
    return (
        f'<rect x="{at.x - wide / 2:.1f}" y="{at.y - 12:.1f}" width="{wide:g}" height="24" rx="12"'
        ' fill="#fff" stroke="#555"/>'
        f'<text class="count" x="{at.x:.1f}" y="{at.y + 5:.1f}" text-anchor="middle">'
        f"{_text(label)}</text>"
    )


def _legend(picture: DomainMap, top: float) -> tuple[list[str], float]:
    """Return what the kinds of lines mean, of those that are there, and how wide that is."""
    parts, x = [], float(MARGIN)
    for kind in KINDS:
        if any(edge.kind == kind for edge in picture.edges):
            words = PLURALS[kind][1] + (" to core" if kind == FOREIGN_KEY else "")
            parts.append(
                f'<g class="edge edge--{kind}"><path class="line" d="M{x:g} {top + 10:g} h36"'
                f' fill="none" stroke="#555" marker-end="url(#domain-map-arrow-{kind})"/>'
                f'<text class="legend" x="{x + 44:g}" y="{top + 15:g}">{_text(words)}</text></g>'
            )
            x += 44 + display_width(words) * LETTER + 24
    return parts, x - MARGIN - 24 if parts else 0
