from __future__ import annotations

from collections.abc import Sequence

from django.core.paginator import Paginator
from django.http import HttpRequest

from ...domains import Domain
from .. import states
from ..overview import Filter, filter_domains, read_rows
from ..page import Page

ROWS = 25


def overview(request: HttpRequest, seen: Sequence[Domain]) -> Page:
    """One row for each domain, core first."""
    wanted = Filter(request.GET.get("q", "").strip(), request.GET.get("state", ""))
    paginator = Paginator(filter_domains(seen, wanted), ROWS)
    page = paginator.get_page(request.GET.get("page"))
    rows = read_rows(list(page.object_list))
    return Page(
        "overview.html",
        "Domains",
        {
            "wanted": wanted,
            "states": states.OF_DOMAINS,
            "page": page,
            "rows": rows,
        },
        commands=(
            *((f"Bring {row.domain.name} up to date", row.command) for row in rows if row.command),
            ("Bring every domain up to date, core first", "manage.py migrate_domain --all"),
            ("See where they stand in text", "manage.py show_domains"),
            ("Look for drift and crossings", "manage.py verify_domain"),
        ),
    )
