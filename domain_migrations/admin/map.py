"""The map page: the domains around core, as a diagram and as lists."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.safestring import mark_safe

from ..api.map import DomainMap, Edge, Node, map_domains
from ..api.map.graph import html_id
from ..api.map.svg import svg
from ..domains import Domain
from ..exceptions import DomainMigrationsError
from .page import Page, url

COMMANDS = (
    (
        "Export the map for the documentation",
        "manage.py map_domains --format svg > docs/domains.svg",
    ),
    ("Look for boundary violations", "manage.py verify_domain --only boundary"),
)


def domains_map(request: HttpRequest, visible: Sequence[Domain]) -> Page:
    """Show the domains that the user may view, around core."""
    context: dict[str, object] = {}
    addresses = {domain.name: url("detail", name=domain.name) for domain in visible}
    try:
        picture = map_domains([domain.name for domain in visible])
        context |= {
            "map": picture,
            "edges": [(edge, html_id(edge)) for edge in picture.edges],
            "violating": [node for node in picture.nodes if node.violations],
        }
        context["picture"] = _draw(picture, addresses)
    except DomainMigrationsError as exc:
        context["problem"] = f"{exc.message} {exc.hint}".strip()
    trail = (("Domains", url("domain_changelist")),)
    return Page("map.html", "Map", context, trail=trail, commands=COMMANDS)


def _draw(picture: DomainMap, addresses: dict[str, str]) -> str:
    def node_url(node: Node) -> str | None:
        return addresses.get(node.name)

    def edge_url(edge: Edge) -> str:
        return f"#{html_id(edge)}"

    drawn = svg(picture, node_url=node_url, edge_url=edge_url)
    return mark_safe(drawn)  # noqa: S308  svg() escapes every name
