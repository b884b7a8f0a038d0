"""The map in Graphviz's language."""

from __future__ import annotations

from collections.abc import Iterator

from .graph import FOREIGN_KEY, REFERENCE, VIOLATION, DomainMap, Edge, Node
from .text import strip_control

STYLES = {
    FOREIGN_KEY: "",
    REFERENCE: ", style=dashed",
    VIOLATION: ', color="#c00000", fontcolor="#c00000", penwidth=3',
}


def dot(picture: DomainMap) -> str:
    """Return the map for ``twopi`` and its kin, with core as the root."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: DomainMap) -> Iterator[str]:
    yield "digraph domains {"
    yield f"  graph [root={_quoted(picture.nodes[0].name)}, layout=twopi, overlap=scale];"
    yield '  node [shape=box, fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif"];'
    for node in picture.nodes:
        yield f"  {_quoted(node.name)} [label={_label(*_node_lines(node))}{_node_style(node)}];"
    for edge in picture.edges:
        yield (
            f"  {_quoted(edge.source)} -> {_quoted(edge.target)}"
            f" [label={_label(_edge_label(edge))}{STYLES[edge.kind]}];"
        )
    yield "}"


def _node_lines(node: Node) -> list[str]:
    return [node.name, node.detail, *([", ".join(node.ids)] if node.ids else [])]


def _node_style(node: Node) -> str:
    if node.ids:
        return STYLES[VIOLATION]
    return "" if node.installed else ", style=dashed"


def _edge_label(edge: Edge) -> str:
    return f"{edge.count} ({', '.join(edge.ids)})" if edge.ids else edge.count


def _quoted(text: str) -> str:
    return '"{}"'.format(strip_control(text).replace("\\", "\\\\").replace('"', '\\"'))


def _label(*lines: str) -> str:
    """Return a label, in which Graphviz would read ``&quot;`` and ``\\N`` as something else."""
    return '"{}"'.format("\\n".join(_quoted(line.replace("&", "&amp;"))[1:-1] for line in lines))
