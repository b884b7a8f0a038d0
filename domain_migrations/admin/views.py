"""The pages: each view takes a request and the domains that the user may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest

from ..domains import Domain
from .overview import STATES, Wanted, choose, read_rows

ROWS = 25


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        trail: the pages above it, (title, URL).
    """

    template: str
    title: str
    context: dict[str, Any] = field(default_factory=dict)
    trail: tuple[tuple[str, str], ...] = ()


def overview(request: HttpRequest, seen: Sequence[Domain]) -> Page:
    """One row for each domain, core first."""
    wanted = Wanted(
        text=request.GET.get("q", "").strip(),
        state=request.GET.get("state", ""),
    )
    paginator = Paginator(choose(seen, wanted), ROWS)
    page = paginator.get_page(request.GET.get("page"))
    return Page(
        "overview.html",
        "Domains",
        {
            "wanted": wanted,
            "states": STATES,
            "page": page,
            "rows": read_rows(list(page.object_list)),
            "several": len(seen) > 1,
        },
    )
