"""Putting the map together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, connections

from ..domains import CORE, Domain, get_domain, get_domains
from ..execution.connection import database_errors
from .declared import Crossing, declared_crossings, has_table
from .recorded import recorded_crossings
from .values import FOREIGN_KEY, KINDS, VIOLATION, DomainMap, Edge, Link, Node


def domain_map(
    names: Sequence[str] | None = None, *, database: str | None = None, apps: Apps = global_apps
) -> DomainMap:
    """Return the map of the domains; writes nothing, and works on an empty database.

    What is allowed is what the models declare, and besides it the foreign keys to core that
    only the database has. What is not is found in both. The number of queries does not depend
    on how many domains there are.

    Arguments:
        names: the domains to show, and core in their middle; all of them unless given.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain: a name is no domain's.
        ConnectionFailed: the database did not answer.
    """
    domains = get_domains(apps)
    shown = {CORE, *(get_domain(name, apps).name for name in names)} if names is not None else None
    owners = {label: domain for domain in domains for label in domain.app_labels}
    found = list(declared_crossings(apps, owners))
    known = {(each.source, each.link.source) for each in found if each.kind == FOREIGN_KEY}
    for alias in dict.fromkeys(database or domain.database for domain in domains):
        with database_errors(alias):
            found.extend(
                each
                for each in recorded_crossings(connections[alias], domains)
                if each.kind == VIOLATION or (each.source, each.link.source) not in known
            )
    return DomainMap(database or DEFAULT_DB_ALIAS, *_gathered(_nodes(apps, domains), found, shown))


def _nodes(apps: Apps, domains: Iterable[Domain]) -> list[Node]:
    models = [model for model in apps.get_models(include_auto_created=True) if has_table(model)]
    return [
        Node(
            domain.name,
            domain.schema,
            sum(model._meta.app_label in domain.app_labels for model in models),
        )
        for domain in domains
    ]


def _gathered(
    nodes: list[Node], found: Iterable[Crossing], shown: set[str] | None
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    places = {node.name: place for place, node in enumerate(nodes)}
    links: dict[tuple[str, str, str], dict[Link, None]] = defaultdict(dict)
    loose: dict[str, dict[Link, None]] = defaultdict(dict)
    for each in found:
        if shown is not None and each.source not in shown:
            continue
        if each.target is None or (shown is not None and each.target not in shown):
            # What a domain refers to by id is its own affair, as long as nobody sees where to.
            if each.kind == VIOLATION:
                loose[each.source][each.link] = None
            continue
        if each.target not in places:
            places[each.target] = len(nodes)
            nodes.append(Node(each.target))
        links[each.source, each.target, each.kind][each.link] = None
    ordered = sorted(links, key=lambda key: (places[key[0]], places[key[1]], KINDS.index(key[2])))
    return (
        tuple(
            Node(node.name, node.schema, node.models, tuple(loose[node.name]))
            for node in nodes
            if shown is None or node.name in shown or not node.installed
        ),
        tuple(
            Edge(*key, tuple(sorted(links[key], key=lambda link: (link.id, link.source))))
            for key in ordered
        ),
    )
