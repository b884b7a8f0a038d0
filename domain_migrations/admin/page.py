"""The page that a view returns, and helpers that all views share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import Http404
from django.urls import reverse

from ..domains import Domain


class Page(NamedTuple):
    """The content of a page.

    Attributes:
        template: its file in ``domain_migrations/admin/``.
        trail: the pages between the overview and it, as (title, address).
        commands: the commands to run next, as (purpose, command line).
    """

    template: str
    title: str
    context: dict[str, Any]
    trail: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()


def url(page: str, /, **arguments: Any) -> str:
    """Return the address of one of the engine's pages in Django's admin."""
    return reverse(f"admin:domain_migrations_{page}", kwargs=arguments)


def get_visible_domain(visible: Sequence[Domain], name: str) -> Domain:
    """Return the domain of that name among those that the user may view.

    Raises:
        Http404: it is not among them; the message does not reveal whether it exists.
    """
    for domain in visible:
        if domain.name == name:
            return domain
    raise Http404(f'There is no domain "{name}", or you may not view it.')
