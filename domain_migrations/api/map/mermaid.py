"""The map in Mermaid's language, which many sites draw from Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .graph import FOREIGN_KEY, REFERENCE, VIOLATION, DomainMap
from .text import strip_control

ARROWS = {FOREIGN_KEY: "-->", REFERENCE: "-.->", VIOLATION: "==>"}
RED = "stroke:#c00000,color:#c00000"

_SPECIAL = re.compile(r"[^\w ,:()]")
"""What Mermaid or Markdown inside its labels could take for its own."""


def mermaid(picture: DomainMap) -> str:
    """Return the map as a flow chart."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: DomainMap) -> Iterator[str]:
    ids = {node.name: f"n{number}" for number, node in enumerate(picture.nodes)}
    yield "flowchart LR"
    for node in picture.nodes:
        found = f"<br>{_escaped(', '.join(node.ids))}" if node.ids else ""
        yield f'  {ids[node.name]}["{_escaped(node.name)}<br>{_escaped(node.detail)}{found}"]'
    red = []
    for number, edge in enumerate(picture.edges):
        label = f"{edge.count} ({', '.join(edge.ids)})" if edge.ids else edge.count
        arrow = ARROWS[edge.kind]
        yield f'  {ids[edge.source]} {arrow}|"{_escaped(label)}"| {ids[edge.target]}'
        if edge.kind == VIOLATION:
            red.append(str(number))
    if red:
        yield f"  linkStyle {','.join(red)} {RED},stroke-width:3px"
    for node in picture.nodes:
        if node.violations:
            yield f"  style {ids[node.name]} {RED}"
        elif not node.installed:
            yield f"  style {ids[node.name]} stroke-dasharray:4 4"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", strip_control(text))
