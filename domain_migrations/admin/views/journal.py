from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_date
from django.utils.timezone import localtime, make_aware

from ...domains import Domain
from ...engine.history.journal_queries import STATUSES, RunFilter
from .. import states
from ..page import Page, url
from ..runs import read_run, read_runs

ROWS = 50
STEPS = 200
DOMAINS = 25
A_DAY = datetime.timedelta(days=1)


def journal(request: HttpRequest, seen: Sequence[Domain]) -> Page:
    """Every run of every domain, latest first."""
    given = {
        name: request.GET.get(name, "").strip()
        for name in ("domain", "status", "person", "since", "until")
    }
    wrong = [name for name in ("since", "until") if given[name] and _day(given[name]) is None]
    domains = [domain for domain in seen if given["domain"] in ("", domain.name)]
    until = _day(given["until"], days=1)
    wanted = RunFilter(
        status=given["status"] if given["status"] in STATUSES else "",
        person=given["person"],
        since=_day(given["since"]),
        until=until,
    )
    number = _number(request.GET.get("page", ""))
    runs, problems = read_runs(domains, wanted, limit=ROWS + 1, offset=ROWS * (number - 1))
    return Page(
        "journal.html",
        "Journal",
        {
            "given": given,
            "filtered": any(given.values()),
            "wrong": wrong,
            "seen": seen,
            "statuses": [(status, states.of_journal(status)) for status in STATUSES],
            "runs": [(run, states.of_journal(run.status)) for run in runs[:ROWS]],
            "problems": problems,
            "number": number,
            "previous": number > 1,
            "next": len(runs) > ROWS,
        },
        trail=(("Domains", url("domain_changelist")),),
        commands=(("See where every domain stands", "manage.py show_domains"),),
    )


def run(request: HttpRequest, seen: Sequence[Domain], run: UUID) -> Page:
    """One run: what it did in each domain, on a time line."""
    line = read_run(seen, str(run))
    if not line.steps:
        raise Http404("There is no such run, or you may not look at any domain of it.")
    page = Paginator(line.steps, STEPS).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "line": line,
        "first": line.steps[0],
        "run": run,
        "page": page,
        "bars": map(line.bar, page),
    }
    return Page(
        "run.html",
        f"Run of {localtime(line.started):%Y-%m-%d %H:%M:%S}",
        context,
        trail=(("Domains", url("domain_changelist")), ("Journal", url("journal"))),
        commands=tuple(
            (f"Bring {name} up to date", f"manage.py migrate_domain {name}")
            if name in line.failed_domains
            else (f"See where {name} stands", f"manage.py show_domains {name}")
            for name in line.domains[:DOMAINS]
        ),
    )


def _day(text: str, *, days: int = 0) -> datetime.datetime | None:
    """Return where the day, or a later one, begins in the project's time zone.

    None where it is no day, or one beyond those that a calendar of ours has.
    """
    try:
        day = parse_date(text)
        begin = datetime.time()
        return make_aware(datetime.datetime.combine(day + days * A_DAY, begin)) if day else None
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> int:
    return min(max(int(text), 1), 100_000) if text.isdecimal() and len(text) < 9 else 1
