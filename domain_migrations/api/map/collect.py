"""``map_domains``: the map of the domains, collected from models and databases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ForeignKey, Model

from ...domains import CORE, CORE_SCHEMA, Domain, QualifiedName, get_domain, get_domains
from ...engine.boundary.installed_models import model_crossings
from ...engine.boundary.rule import may_depend_on
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sql.query import run_sql
from ...references.resolution import all_references
from ..verify.live_boundary import cross_domain_findings
from .graph import FOREIGN_KEY, KINDS, REFERENCE, VIOLATION, DomainMap, Edge, Link, Node


class Crossing(NamedTuple):
    """A link and the domains that it joins; ``target`` is None where it is unknown."""

    source: str
    target: str | None
    kind: str
    link: Link


def declared_links(apps: Apps, owners: dict[str, Domain]) -> Iterator[Crossing]:
    """Yield the links between domains that the installed models declare."""
    yield from _foreign_keys(apps, owners)
    for model, field, to in all_references(apps):
        app_label = str(to).partition(".")[0]
        owner = owners.get(app_label)
        source, target = owners[model._meta.app_label].name, owner.name if owner else app_label
        if source != target:
            yield Crossing(source, target, REFERENCE, Link(column(model, field), str(to)))
    for problem, used in model_crossings(apps):
        label = problem.obj._meta.app_label
        link = Link(problem.obj._meta.label, "", problem.id, problem.message, problem.hint)
        yield Crossing(owners[label].name, used.name, VIOLATION, link)


def _foreign_keys(apps: Apps, owners: dict[str, Domain]) -> Iterator[Crossing]:
    for model in apps.get_models(include_auto_created=True):
        if not has_table(model):
            continue
        user = owners[model._meta.app_label]
        for field in model._meta.local_fields:
            if not isinstance(field, ForeignKey) or not isinstance(field.remote_field.model, type):
                continue
            remote = field.remote_field.model
            used = owners.get(remote._meta.app_label)
            if used is None or used == user or not may_depend_on(user, used):
                continue
            kind = FOREIGN_KEY if getattr(field, "db_constraint", True) else REFERENCE
            link = Link(column(model, field), column(remote, field.target_field))
            yield Crossing(user.name, used.name, kind, link)


def has_table(model: type[Model]) -> bool:
    """Return whether migrations create a table for the model."""
    options = model._meta
    return options.managed and not options.proxy and not options.swapped


def column(model: type[Model], field: Any) -> str:
    """Return the column of a field, as ``schema.table.column``."""
    try:
        table = QualifiedName.of(model._meta.db_table)
    except ValueError:
        table = QualifiedName(CORE_SCHEMA, model._meta.db_table)  # E008 reports it.
    return f"{table}.{field.column}"


# Only keys to schemas that no domain owns; those to other domains are among the findings.
SELECT_KEYS = """
SELECT own.nspname, c.relname, f.nspname, fc.relname,
    (SELECT array_agg(a.attname ORDER BY x.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS x (number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.number),
    (SELECT array_agg(a.attname ORDER BY x.place)
        FROM unnest(k.confkey) WITH ORDINALITY AS x (number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.number)
FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace own ON own.oid = c.relnamespace
    JOIN pg_class fc ON fc.oid = k.confrelid JOIN pg_namespace f ON f.oid = fc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
    AND own.nspname = ANY(%(schemas)s) AND f.nspname <> ALL(%(schemas)s)
ORDER BY 1, 2, 5
"""

HAS_CITUS = "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'citus'"


def recorded_links(
    connection: BaseDatabaseWrapper, domains: tuple[Domain, ...], servers: dict[str, str]
) -> Iterator[Crossing]:
    """Yield the links between domains that a database has, in two or three queries.

    Arguments:
        servers: gets schema → the node that has its tables, if the database is in a cluster.
    """
    core, schemas = domains[0], {domain.schema: domain.name for domain in domains[1:]}
    rows, clusters = run_sql(connection, f"{SELECT_KEYS}; {HAS_CITUS}", {"schemas": list(schemas)})
    if clusters:
        servers |= _servers(connection, domains)
    for schema, table, used_schema, used_table, columns, used_columns in rows:
        link = Link(
            f"{schema}.{table}.{', '.join(columns)}",
            f"{used_schema}.{used_table}.{', '.join(used_columns)}",
        )
        yield Crossing(schemas[schema], core.name, FOREIGN_KEY, link)
    for finding, used in cross_domain_findings(connection):
        link = Link(finding.object, "", finding.id, finding.message, finding.hint)
        yield Crossing(finding.domain, used.name if used else None, VIOLATION, link)


def _servers(
    connection: BaseDatabaseWrapper, domains: Iterable[Domain]
) -> Iterator[tuple[str, str]]:
    """Yield the schemas, each with the node that has its tables, "" for the coordinator."""
    from ...engine.cluster.cluster import read_cluster  # Most databases are in no cluster.

    cluster = read_cluster(connection)
    for domain in domains:
        node = cluster.schemas.get(domain.schema) if cluster else None
        yield domain.schema, node.address if node else ""


def map_domains(
    names: Sequence[str] | None = None, *, database: str | None = None, apps: Apps = global_apps
) -> DomainMap:
    """Return the map of the domains; writes nothing, and works on an empty database.

    Allowed links are those that the models declare, and the foreign keys to core that only the
    database has. Violations are read from both. The number of queries does not depend on the
    number of domains.

    Arguments:
        names: the domains to show besides core; all domains unless given.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain: a domain does not exist.
        DatabaseUnavailable: the database did not answer.
    """
    domains = get_domains(apps)
    shown = {CORE, *(get_domain(name, apps).name for name in names)} if names is not None else None
    owners = {label: domain for domain in domains for label in domain.app_labels}
    found = list(declared_links(apps, owners))
    known = {(each.source, each.link.source) for each in found if each.kind == FOREIGN_KEY}
    servers: dict[str, dict[str, str]] = {}
    here = [domain for domain in domains if shown is None or domain.name in shown]
    for alias in dict.fromkeys(database or domain.database for domain in here):
        servers[alias] = {}
        with translate_database_errors(alias):
            found.extend(
                each
                for each in recorded_links(connections[alias], domains, servers[alias])
                if each.kind == VIOLATION or (each.source, each.link.source) not in known
            )
    models = Counter(
        owners[model._meta.app_label].name
        for model in apps.get_models(include_auto_created=True)
        if has_table(model)
    )
    nodes = [
        Node(
            domain.name,
            domain.schema,
            models[domain.name],
            server=servers.get(database or domain.database, {}).get(domain.schema),
        )
        for domain in domains
    ]
    return DomainMap(database or DEFAULT_DB_ALIAS, *_edges(nodes, found, shown))


def _without_names(link: Link) -> Link:
    """Return the link for people who may not see the domain at its other end."""
    message = f"{link.source} uses something of another domain."
    return Link(link.source, "", link.id, message, "Ask someone who may view every domain.")


def _edges(
    nodes: list[Node], found: Iterable[Crossing], shown: set[str] | None
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    places = {node.name: place for place, node in enumerate(nodes)}
    links: dict[tuple[str, str, str], dict[Link, None]] = defaultdict(dict)
    loose: dict[str, dict[Link, None]] = defaultdict(dict)
    for each in found:
        if shown is not None and each.source not in shown:
            continue
        if each.target is None or (shown is not None and each.target not in shown):
            # References by id to domains that are not shown are left out.
            if each.kind == VIOLATION:
                link = each.link if each.target is None else _without_names(each.link)
                loose[each.source][link] = None
            continue
        if each.target not in places:
            places[each.target] = len(nodes)
            nodes.append(Node(each.target))
        links[each.source, each.target, each.kind][each.link] = None
    ordered = sorted(links, key=lambda key: (places[key[0]], places[key[1]], KINDS.index(key[2])))
    return (
        tuple(
            replace(node, violations=tuple(loose[node.name]))
            for node in nodes
            if shown is None or node.name in shown or not node.installed
        ),
        tuple(
            Edge(*key, tuple(sorted(links[key], key=lambda link: (link.id, link.source))))
            for key in ordered
        ),
    )
