"""The names of domains that a user may not view, kept out of what the pages show.

A domain's journal, findings and migrations are its own, and may name other domains all the same: an
error of the guard, say, or the comment in a migration. Names of core are no secret, because the
code of every domain has them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from ..api.map import DomainMap, Edge, Link, Node
from ..domains import Domain, QualifiedName, get_domains
from ..engine.guard.held_locks import LOCK_STRENGTH
from ..engine.history.journal_queries import JournalRow
from ..engine.history.runs import Run
from ..engine.messages import Finding
from ..engine.sessions.roles import role_name

MASK = "another domain"
"""Instead of a name."""

WITHHELD = "This text names another domain; someone who may view every domain can read it."

Row = TypeVar("Row", JournalRow, Run)


class HiddenNames:
    """The names of the domains that are neither core nor among those that the user may view.

    Where a hidden name is also a word of the language, more is masked than has to be.
    """

    def __init__(self, visible: Sequence[Domain]) -> None:
        every = get_domains()
        self.hidden = tuple(d for d in every if not d.is_core and d not in visible)
        self.core_is_hidden = every[0] not in visible
        self._pattern = _pattern(self.hidden) if self.hidden else None

    def in_text(self, text: str) -> bool:
        """Return whether the text has a hidden name."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def mask(self, text: str) -> str:
        """Return the text with other words in the place of hidden names, for code."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def withhold(self, text: str) -> str:
        """Return the text, or another one if it has a hidden name, for messages.

        What is around a name in a message can say how many there are, or what was done with them.
        """
        return WITHHELD if self.in_text(text) else text

    def withhold_each(self, texts: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(map(self.withhold, texts)))

    def row(self, row: Row) -> Row:
        """Return a row of a journal, or a run, with nothing hidden in its error and its name."""
        shown = row._replace(error=self.withhold(row.error))
        if isinstance(shown, JournalRow):
            return shown._replace(name=self.mask(shown.name))
        return shown

    def finding(self, finding: Finding) -> Finding:
        if not any(map(self.in_text, (finding.object, finding.message, finding.hint))):
            return finding
        return finding._replace(object=self.mask(finding.object), message=WITHHELD, hint="")

    def locks(self, footprint: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return relation → lock, with the strongest lock for all hidden relations together."""
        shown: dict[str, str] = {}
        for relation, mode in sorted(footprint.items()):
            name = MASK if self.in_text(relation) else relation
            shown[name] = max(shown.get(name, mode), mode, key=_strength)
        return sorted(shown.items())

    def map(self, picture: DomainMap) -> DomainMap:
        """Return the map of the visible domains, without what is core's alone if core is hidden."""
        core = get_domains()[0].name if self.core_is_hidden else None
        nodes = tuple(
            replace(node, models=None, violations=(), server=None)
            if node.name == core
            else self._node(node)
            for node in picture.nodes
        )
        edges = tuple(self._edge(edge) for edge in picture.edges if edge.source != core)
        return replace(picture, nodes=nodes, edges=edges)

    def _node(self, node: Node) -> Node:
        return replace(node, violations=tuple(dict.fromkeys(map(self._link, node.violations))))

    def _edge(self, edge: Edge) -> Edge:
        return replace(edge, links=tuple(dict.fromkeys(map(self._link, edge.links))))

    def _link(self, link: Link) -> Link:
        if not any(map(self.in_text, (link.source, link.target, link.message, link.hint))):
            return link
        message = WITHHELD if link.message else ""
        return Link(self.mask(link.source), self.mask(link.target), link.id, message)


def _strength(mode: str) -> int:
    """Return the strength of a lock; one that newer code knows is the strongest."""
    return LOCK_STRENGTH.get(str(mode), len(LOCK_STRENGTH))


@functools.lru_cache(maxsize=64)
def _pattern(hidden: tuple[Domain, ...]) -> re.Pattern[str]:
    """Return what finds names of these domains, and of what they qualify, as whole words."""
    others = [domain for domain in get_domains() if domain not in hidden]
    common = {DEFAULT_DB_ALIAS, *(name for domain in others for name in _names(domain))}
    names = {name for domain in hidden for name in _names(domain)} - common
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)"
    bare = "|".join(
        re.escape(name)
        for domain in hidden
        for name in (
            *(table.name for table in domain.engine_tables),
            *_role_names(domain),
        )
    )
    tables = "|".join(sorted(map(re.escape, _tables(hidden) - _tables(others)))) or "(?!)"
    part = r'(?:"[^"\n]+"|[\w$]+)'
    return re.compile(
        rf"""(["'])(?:{words})\1\s*,\s*(["'])\w+\2"""  # a dependency or a reference
        rf'|"(?:{words})"(?:\s*\.\s*{part})*'
        rf"|\b(?:{words})\b(?:\s?\.\s?{part})*"
        rf'|"(?:{tables})"|\b(?:{bare})(?:_\w+)?\b',
        re.IGNORECASE,
    )


def _names(domain: Domain) -> set[str]:
    return {domain.name, domain.schema, domain.database, *domain.app_labels}


def _role_names(domain: Domain) -> Iterator[str]:
    if domain.database in connections.settings:  # E018 reports a database that does not exist.
        yield role_name(connections[domain.database], domain)


def _tables(domains: Iterable[Domain]) -> set[str]:
    """Return the names of the tables of the domains' models, without schemas."""
    labels = {label for domain in domains for label in domain.app_labels}
    found = set()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in labels:
            try:
                found.add(QualifiedName.of(model._meta.db_table).name)
            except ValueError:  # E008 reports it.
                found.add(model._meta.db_table)
    return found
