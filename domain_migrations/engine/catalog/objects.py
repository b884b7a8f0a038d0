"""The objects of a schema as values, and the canonical text made of them.

The text has one block for each object: a line with its kind and name, then its definition,
indented. Blocks are sorted by name and then by kind, by code point, so a table is followed by
its columns and constraints whatever the locale of the server or of the reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

INDENT = "    "
EMPTY = "nothing"
LONG_KINDS = (
    "default privileges",
    "foreign table",
    "materialized view",
    "operator class",
    "operator family",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
    "window function",
)
"""The kinds of more than one word; of every other kind a title's first word is the kind."""


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """One object of a schema.

    Attributes:
        kind: what it is, in lower case: ``table``, ``column``, ``index``, ``function`` …
        name: its qualified name, ``inventory.drugs.note``; parts are quoted only where they
            hold anything but lower-case letters, digits and underscores.
        definition: everything else that was read about it, one statement a line.
        relation: the table, view or sequence it belongs to, unquoted and without schema; None
            for what belongs to none.
    """

    kind: str
    name: str
    definition: str
    relation: str | None = None

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


def to_text(objects: Iterable[CatalogObject]) -> str:
    """Return the canonical text of the objects, which need not be sorted."""
    blocks = sorted((item.name, item.kind, item.definition) for item in objects)
    return "".join(_block(f"{kind} {name}", definition) for name, kind, definition in blocks)


def parse_text(text: str) -> dict[str, tuple[str, ...]]:
    """Return the blocks of a canonical text: title → the lines of the definition."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith(INDENT):
            lines.append(line.removeprefix(INDENT))
        elif line:
            lines = blocks.setdefault(line, [])
    return {title: tuple(lines) for title, lines in blocks.items()}


def compare_texts(before: str, after: str) -> list[str]:
    """Return one sentence for each object that differs, in the order of the texts.

    What belongs to a table, view or sequence that is itself missing or added is not listed.
    """
    old, new = parse_text(before), parse_text(after)
    titles = sorted(old.keys() | new.keys(), key=_position)
    whole = {_name(title) for title in titles if (title in old) != (title in new)}
    return [
        sentence
        for title in titles
        if (sentence := _difference(title, old.get(title), new.get(title)))
        and ((title in old and title in new) or _relation_of(title) not in whole)
    ]


def _difference(title: str, old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> str | None:
    if old == new:
        return None
    if new is None:
        return f"{title}: missing"
    if old is None:
        return f"{title}: added"
    gone = [line.strip() for line in old if line not in new]
    come = [line.strip() for line in new if line not in old]
    if not gone and not come:
        gone, come = [line.strip() for line in old], [line.strip() for line in new]
    return f"{title} differs: {', '.join(gone) or EMPTY} / {', '.join(come) or EMPTY}"


def _block(title: str, definition: str) -> str:
    lines = definition.split("\n") if definition else []
    return "\n".join([title.replace("\n", "\\n"), *(INDENT + line for line in lines)]) + "\n"


def _name(title: str) -> str:
    return _split(title)[1]


def _relation_of(title: str) -> str:
    """The name less its last part. A dot inside quotes only loses the shortening."""
    return _name(title).rpartition(".")[0]


def _position(title: str) -> tuple[str, str]:
    kind, name = _split(title)
    return name, kind


def _split(title: str) -> tuple[str, str]:
    for kind in LONG_KINDS:
        if title.startswith(f"{kind} "):
            return kind, title.removeprefix(f"{kind} ")
    kind, _, name = title.partition(" ")
    return kind, name
