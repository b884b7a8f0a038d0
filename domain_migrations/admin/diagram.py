"""A domain's tables and the foreign keys between them, as a picture for its page.

The list of the tables has the same in text, for those who do not see the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from django.utils.safestring import SafeString, mark_safe

from ..api.map.drawing import SVG, Arrow, Box, draw
from ..api.map.graph import strip_control
from ..exceptions import InvalidConfiguration
from .table_sizes import Table

MAX_TABLES = 80
"""Tables that a picture can show and be read."""


def er_diagram(schema: str, tables: Sequence[Table]) -> SafeString:
    """Return the picture as SVG, in the looks of the map of the domains; empty for no tables.

    Raises:
        InvalidConfiguration: pygraphviz is not installed, or there are too many tables.
    """
    if not tables:
        return SafeString()
    own = {table.name for table in tables}
    pairs = {
        (table.name, key.to if key.to_schema in (schema, "") else f"{key.to_schema}.{key.to}")
        for table in tables
        for key in table.relations
    }
    # Tables of other schemas come after the domain's own.
    names = [*dict.fromkeys(table.name for table in tables), *sorted({to for _, to in pairs} - own)]
    if len(names) > MAX_TABLES:
        raise InvalidConfiguration(
            f"There are more than {MAX_TABLES} tables, too many for a picture."
        )
    places = {name: number for number, name in enumerate(names)}
    root = draw(
        [
            Box((("", strip_control(name)),), "node" if name in own else "node node--core")
            for name in names
        ],
        [
            Arrow(source, target, "edge edge--foreign_key")
            for source, target in sorted((places[name], places[to]) for name, to in pairs)
        ],
    )
    title = ElementTree.Element(f"{{{SVG}}}title", {"id": "dm-diagram-title"})
    title.text = f"Tables of {strip_control(schema)} and their foreign keys"
    root.insert(0, title)
    root.set("aria-labelledby", title.attrib["id"])
    # ElementTree escapes every name.
    return mark_safe(ElementTree.tostring(root, encoding="unicode"))  # noqa: S308 (see above)
