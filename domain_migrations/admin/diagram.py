"""A domain's tables and the foreign keys between them, as a picture for its page.

What it shows stands in the list of the tables too, for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

from ..api.map.layout import Point, Size, layout_graph, path
from ..api.map.text import display_width, strip_control
from ..exceptions import InvalidConfiguration
from .table_sizes import Table

MAX_TABLES = 80
"""Tables that a picture can show and be read."""

MARGIN = 12
LETTER = 7.6
HEIGHT = 32
LARGE = 12


def er_diagram(schema: str, tables: Sequence[Table]) -> SafeString:
    """Return the picture as SVG, in the looks of the map of the domains; empty for no tables.

    Raises:
        InvalidConfiguration: the library that lays it out is not installed, or there are too
            many tables.
    """
    names = _names(schema, tables)
    if len(names) > MAX_TABLES:
        raise InvalidConfiguration(
            f"There are more than {MAX_TABLES} tables, too many for a picture."
        )
    if not tables:
        return SafeString()
    places = {name: number for number, name in enumerate(names)}
    sizes = [Size(display_width(name) * LETTER + 24, HEIGHT) for name in names]
    edges = sorted(
        {
            (places[table.name], places[_target(schema, relation.to_schema, relation.to)])
            for table in tables
            for relation in table.relations
        }
    )
    layout = layout_graph(sizes, edges, ranked=True)
    whole = Size(layout.size.width + 2 * MARGIN, layout.size.height + 2 * MARGIN)
    own = {table.name for table in tables}
    parts = [
        _head(whole, large=len(names) > LARGE),
        f'<title id="dm-diagram-title">Tables of {_text(schema)} and their foreign keys</title>',
        _arrow(),
        f'<g transform="translate({MARGIN},{MARGIN})">',
        *(
            '<g class="edge edge--foreign_key"><path class="line" fill="none" stroke="#555"'
            f' marker-end="url(#dm-diagram-arrow)" d="{path(curve)}"/></g>'
            for curve in layout.curves
        ),
        *(
            _box(name, at, size, own=name in own)
            for name, at, size in zip(names, layout.boxes, sizes, strict=True)
        ),
        "</g></svg>",
    ]
    # Names are escaped where they are put in.
    return mark_safe("\n".join(parts))  # noqa: S308


def _names(schema: str, tables: Sequence[Table]) -> list[str]:
    """Return the tables, behind them those of other schemas that they refer to."""
    names = dict.fromkeys(table.name for table in tables)
    for table in tables:
        for relation in table.relations:
            names.setdefault(_target(schema, relation.to_schema, relation.to))
    return list(names)


def _target(schema: str, to_schema: str, to: str) -> str:
    return to if to_schema == schema else f"{to_schema}.{to}"


def _head(whole: Size, *, large: bool) -> str:
    box = f"{whole.width:g} {whole.height:g}"
    classes = "domain-map domain-map--large" if large else "domain-map"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="img"'
        f' aria-labelledby="dm-diagram-title" width="{whole.width:g}"'
        f' height="{whole.height:g}" viewBox="0 0 {box}">'
    )


def _arrow() -> str:
    return (
        '<defs><marker id="dm-diagram-arrow" class="arrow" viewBox="0 0 10 10" refX="9" refY="5"'
        ' markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0 10 5 0 10z"/></marker></defs>'
    )


def _box(name: str, at: Point, size: Size, *, own: bool) -> str:
    left, top = at.x - size.width / 2, at.y - size.height / 2
    return (
        f'<g class="{"node" if own else "node node--core"}">'
        f'<rect x="{left:g}" y="{top:g}" width="{size.width:g}" height="{size.height:g}" rx="6"'
        ' fill="#fff" stroke="#333"/>'
        f'<text x="{at.x:g}" y="{at.y + 5:g}" text-anchor="middle">{_text(name)}</text></g>'
    )


def _text(text: str) -> str:
    return escape(strip_control(text))
