"""What a view hands back, and what views share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404
from django.urls import reverse

from ..domains import Domain


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        template: its file in ``domain_migrations/admin/``.
        trail: the pages above it, (title, address).
        commands: what one would run next, (why, command line).
    """

    template: str
    title: str
    context: dict[str, Any] = field(default_factory=dict)
    trail: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()


def url(page: str, /, **arguments: Any) -> str:
    """Return the address of one of the engine's pages in Django's admin."""
    return reverse(f"admin:domain_migrations_{page}", kwargs=arguments)


def get_visible_domain(domains: Sequence[Domain], name: str) -> Domain:
    """Return the domain of that name out of those that the user may look at.

    Raises:
        Http404: it is not among them; whether it exists is not told.
    """
    for domain in domains:
        if domain.name == name:
            return domain
    raise Http404(f'There is no domain "{name}", or you may not look at it.')
