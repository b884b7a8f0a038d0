"""The formats of a map: Mermaid and Graphviz's language, both as text, SVG and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator

from .graph import FOREIGN_KEY, REFERENCE, VIOLATION, DomainMap, Node, strip_control
from .svg import svg

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
    return [node.name, node.detail, *([", ".join(node.ids)] if node.ids else [])]


_RENDERERS: dict[str, Callable[[DomainMap], Iterable[str]]] = {
    "svg": lambda picture: [svg(picture)],
    "mermaid": _mermaid,
    "dot": _dot,
    "json": lambda picture: [json.dumps(picture.as_json(), ensure_ascii=False)],
}
FORMATS = tuple(_RENDERERS)
