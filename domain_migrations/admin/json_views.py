"""The overview, the journal and the map as JSON, for dashboards: what the pages show, no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse

from ..api.map import map_domains
from ..domains import Domain
from ..engine.history.runs import Run
from ..engine.history.verifications import StoredVerification
from ..engine.messages import utc_time
from ..engine.runner.results import FORMAT
from ..exceptions import DomainMigrationsError
from .hidden_names import HiddenNames
from .journal import find_runs
from .overview import Row, read_rows


def status(request: HttpRequest, visible: Sequence[Domain]) -> JsonResponse:
    """Return the state of each domain that the user may view, core first."""
    names = HiddenNames(visible)
    rows = [_row(row.shown(names)) for row in read_rows(visible)]
    return JsonResponse({"format": FORMAT, "domains": rows})


def journal(request: HttpRequest, visible: Sequence[Domain]) -> JsonResponse:
    """Return the runs that the page shows with the same filter, latest first."""
    found = find_runs(request, visible)
    return JsonResponse(
        {
            "format": FORMAT,
            "page": found.number,
            "has_next": found.has_next,
            "ignored": found.wrong,
            "problems": found.problems,
            "runs": [{"domain": run.domain, **_run(run), "error": run.error} for run in found.runs],
        }
    )


def domains_map(request: HttpRequest, visible: Sequence[Domain]) -> JsonResponse:
    """Return the map of the domains that the user may view, around core."""
    names = HiddenNames(visible)
    try:
        picture = names.map(map_domains([domain.name for domain in visible]))
    except DomainMigrationsError as exc:
        error = {"code": exc.code, "message": names.withhold(exc.full_message)}
        return JsonResponse({"format": FORMAT, "error": error}, status=503)
    return JsonResponse(picture.as_json())


def _row(row: Row) -> dict[str, Any]:
    read = row.status
    return {
        "domain": row.domain.name,
        "schema": row.domain.schema,
        "database": row.domain.database,
        "state": row.state.key,
        "applied": len(read.applied) if read else None,
        "pending": len(read.pending) if read else None,
        "unknown": len(read.unknown) if read else None,
        "tables": row.size.tables if row.size else None,
        "bytes": row.size.size if row.size else None,
        "last_run": _run(row.last_run) if row.last_run else None,
        "verified": _verification(row.verified) if row.verified else None,
        "problem": row.problem or None,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "run": run.run,
        "started": utc_time(run.started),
        "seconds": round(run.seconds, 3),
        "status": run.status,
        "applied": run.applied,
        "reverted": run.reverted,
        "recorded": run.marked,
        "os_user": run.os_user,
        "host": run.host,
        "database_user": run.database_user,
        "project_version": run.project_version,
    }


def _verification(found: StoredVerification) -> dict[str, Any]:
    return {
        "started": utc_time(found.started),
        "kinds": list(found.kinds),
        "findings": found.count,
    }
