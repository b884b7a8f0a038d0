"""The map page: the domains around core, as a diagram and as lists."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.safestring import mark_safe

from ..api.map import map_domains
from ..api.map.formats import svg
from ..domains import Domain
from ..exceptions import DomainMigrationsError
from .hidden_names import HiddenNames
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
    names = HiddenNames(visible)
    try:
        picture = names.map(map_domains([domain.name for domain in visible]))
        context |= {
            "map": picture,
            "violating": [node for node in picture.nodes if node.violations],
        }
        context["picture"] = mark_safe(svg(picture, addresses))  # noqa: S308  it escapes names
    except DomainMigrationsError as exc:
        context["problem"] = names.withhold(exc.full_message)
    return Page("map.html", "Map", context, commands=COMMANDS)
