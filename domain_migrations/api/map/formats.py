"""The formats of a map: SVG, Mermaid and Graphviz's language, both as text, and JSON.

The SVG has no scripts, and no styles or fonts from elsewhere. All looks are classes of the static
style sheet ``domain_migrations/map.css``, which a file of its own includes; the few attributes on
the elements keep it readable without.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ...domains import CORE
from .drawing import LETTER, LINE, MARGIN, SVG, Arrow, Box, add_text, draw, resize
from .graph import (
    FOREIGN_KEY,
    KINDS,
    PLURALS,
    REFERENCE,
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

MERMAID_ARROWS = {FOREIGN_KEY: "-->", REFERENCE: "-.->", VIOLATION: "==>"}
MERMAID_RED = "stroke:#c00000,color:#c00000"
DOT_STYLES = {
    FOREIGN_KEY: "",
    REFERENCE: ", style=dashed",
    VIOLATION: ', color="#c00000", fontcolor="#c00000", penwidth=3',
}

_SPECIAL = re.compile(r"[^\w ,:()]")
"""Characters that Mermaid, or Markdown inside its labels, could take for its own."""


def render(picture: DomainMap, as_format: str) -> str:
    """Return the map as text that ends with a newline; equal maps give equal bytes.

    Raises:
        InvalidConfiguration: pygraphviz, which ``svg`` needs, is not installed.
    """
    return "\n".join(_RENDERERS[as_format](picture)) + "\n"


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
    kinds = ("name", "detail", *(("detail",) if node.place else ()), "violations")
    lines = zip(kinds, _node_lines(node), strict=False)
    states = {
        "core": node.name == CORE,
        "violating": bool(node.ids),
        "absent": not node.installed,
    }
    return Box(
        tuple((name, _short(strip_control(text))) for name, text in lines),
        " ".join(["node", *(f"node--{state}" for state, holds in states.items() if holds)]),
        ", ".join(filter(None, [f"Domain {node.name}", node.detail, node.place, *node.ids])),
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


def _mermaid(picture: DomainMap) -> Iterator[str]:
    ids = {node.name: f"n{number}" for number, node in enumerate(picture.nodes)}
    yield "flowchart LR"
    for node in picture.nodes:
        label = "<br>".join(map(_escaped, _node_lines(node)))
        yield f'  {ids[node.name]}["{label}"]'
    red = []
    for number, edge in enumerate(picture.edges):
        arrow, label = MERMAID_ARROWS[edge.kind], _escaped(edge.label)
        yield f'  {ids[edge.source]} {arrow}|"{label}"| {ids[edge.target]}'
        if edge.kind == VIOLATION:
            red.append(str(number))
    if red:
        yield f"  linkStyle {','.join(red)} {MERMAID_RED},stroke-width:3px"
    for node in picture.nodes:
        if node.violations:
            yield f"  style {ids[node.name]} {MERMAID_RED}"
        elif not node.installed:
            yield f"  style {ids[node.name]} stroke-dasharray:4 4"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", strip_control(text))


def _dot(picture: DomainMap) -> Iterator[str]:
    """Yield the map for ``twopi`` and its kin, with core as the root."""
    yield "digraph domains {"
    yield f"  graph [root={_quoted(picture.nodes[0].name)}, layout=twopi, overlap=scale];"
    yield '  node [shape=box, fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif"];'
    for node in picture.nodes:
        style = "" if node.installed else DOT_STYLES[REFERENCE]
        style = DOT_STYLES[VIOLATION] if node.ids else style
        yield f"  {_quoted(node.name)} [label={_label(*_node_lines(node))}{style}];"
    for edge in picture.edges:
        yield (
            f"  {_quoted(edge.source)} -> {_quoted(edge.target)}"
            f" [label={_label(edge.label)}{DOT_STYLES[edge.kind]}];"
        )
    yield "}"


def _quoted(text: str) -> str:
    return '"{}"'.format(strip_control(text).replace("\\", "\\\\").replace('"', '\\"'))


def _label(*lines: str) -> str:
    """Return a label, in which Graphviz would read ``&quot;`` and ``\\N`` as something else."""
    return '"{}"'.format("\\n".join(_quoted(line.replace("&", "&amp;"))[1:-1] for line in lines))


def _node_lines(node: Node) -> list[str]:
    return [line for line in (node.name, node.detail, node.place, ", ".join(node.ids)) if line]


_RENDERERS: dict[str, Callable[[DomainMap], Iterable[str]]] = {
    "svg": lambda picture: [svg(picture)],
    "mermaid": _mermaid,
    "dot": _dot,
    "json": lambda picture: [json.dumps(picture.as_json(), ensure_ascii=False)],
}
FORMATS = tuple(_RENDERERS)
