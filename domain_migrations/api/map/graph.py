"""The map of the domains as a value, and its names as text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any

from ...engine.runner.results import FORMAT

FOREIGN_KEY = "foreign_key"
REFERENCE = "reference"
VIOLATION = "violation"
KINDS = (FOREIGN_KEY, REFERENCE, VIOLATION)

PLURALS = {
    FOREIGN_KEY: ("foreign key", "foreign keys"),
    REFERENCE: ("reference by id", "references by id"),
    VIOLATION: ("violation", "violations"),
}

_BREAKS = re.compile(r"\s+")
_UNSAFE = re.compile(r"[^a-z0-9_]")


@dataclass(frozen=True, slots=True)
class Link:
    """One link from a domain to another.

    Attributes:
        source: the column, or the object that breaks the rule, qualified.
        target: what it leads to; empty where the message names it.
        id: of a violation, that of ``verify_domain`` (``B…``) or of a system check (``E…``).
        message: of a violation, what is wrong.
        hint: of a violation, what to do.
    """

    source: str
    target: str = ""
    id: str = ""
    message: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value or None for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Edge:
    """All links of one kind from one domain to another.

    Attributes:
        kind: ``foreign_key``, ``reference`` or ``violation``.
    """

    source: str
    target: str
    kind: str
    links: tuple[Link, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the violations, each once."""
        return tuple(sorted({link.id for link in self.links if link.id}))

    @property
    def count(self) -> str:
        """The number of links, in words."""
        one, many = PLURALS[self.kind]
        return f"{len(self.links)} {one if len(self.links) == 1 else many}"

    @property
    def sentence(self) -> str:
        """The edge in words, without its links."""
        return f"{self.source} to {self.target}: {self.label}"

    @property
    def label(self) -> str:
        """The number of links, with the ids of violations."""
        return f"{self.count} ({', '.join(self.ids)})" if self.ids else self.count

    @property
    def html_id(self) -> str:
        """The edge's name as a fragment of an address."""
        ends = (
            _UNSAFE.sub(lambda match: f".{ord(match[0]):x}.", name)
            for name in (self.source, self.target)
        )
        return "-".join((self.kind, *ends))

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "target": self.target,
            "kind": self.kind,
            "count": len(self.links),
            "ids": list(self.ids),
            "links": [link.as_json() for link in self.links],
        }


@dataclass(frozen=True, slots=True)
class Node:
    """A domain on the map.

    Attributes:
        schema: empty for a domain that is not installed and only referred to.
        models: the number of its models with a table of their own, None if it is hidden.
        violations: those that lead to no domain on the map.
        server: in a cluster, host and port of the node that has its tables, "" for the
            coordinator; None without a cluster.
    """

    name: str
    schema: str = ""
    models: int | None = 0
    violations: tuple[Link, ...] = ()
    server: str | None = None

    @property
    def installed(self) -> bool:
        return bool(self.schema)

    @property
    def detail(self) -> str:
        """The line below its name."""
        if not self.installed:
            return "not installed"
        if self.models is None:
            return f"schema {self.schema}"
        return f"schema {self.schema}, {self.models} model{'' if self.models == 1 else 's'}"

    @property
    def place(self) -> str:
        """The line below that, in a cluster."""
        return "" if self.server is None else f"on {self.server or 'the coordinator'}"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(sorted({link.id for link in self.violations}))

    def as_json(self) -> dict[str, Any]:
        return {
            "domain": self.name,
            "schema": self.schema or None,
            "models": self.models,
            "installed": self.installed,
            "violations": [link.as_json() for link in self.violations],
            **({} if self.server is None else {"node": self.server or None}),
        }


@dataclass(frozen=True, slots=True)
class DomainMap:
    """The domains, core first, and the edges between them, in the order of the domains."""

    database: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def summary(self) -> str:
        """The map in one sentence."""
        found = {
            kind: sum(len(edge.links) for edge in self.edges if edge.kind == kind) for kind in KINDS
        }
        found[VIOLATION] += sum(len(node.violations) for node in self.nodes)
        counts = [
            f"{number} {PLURALS[kind][number != 1]}"
            for kind, number in found.items()
            if number or kind == VIOLATION
        ]
        domains = len(self.nodes)
        return f"{domains} domain{'' if domains == 1 else 's'}: {', '.join(counts)}."

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "database": self.database,
            "domains": [node.as_json() for node in self.nodes],
            "edges": [edge.as_json() for edge in self.edges],
        }


def strip_control(text: str) -> str:
    """Return the text on one line, without characters that XML or a terminal cannot have."""
    return "".join(
        "\ufffd"
        if unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"
        else character
        for character in _BREAKS.sub(" ", text)
    )


def display_width(text: str) -> int:
    """Return the number of columns that the text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )  # fmt: skip
