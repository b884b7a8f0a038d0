"""The readiness view."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .conf import get_settings
from .exceptions import DomainMigrationsError, UnknownDomain


@login_not_required
@never_cache
@require_safe
def readiness(request: HttpRequest) -> HttpResponse:
    """Return 200 if the domains in ``?domain=`` are ready for this code, else 503.

    It reads no session and sets no cookie. Migration names and complete errors are only included
    if the request has the bearer token of the setting ``READINESS_TOKEN``.
    """
    from .api.readiness import check_readiness

    parts = ",".join(request.GET.getlist("domain")).split(",")
    names = [name for part in parts if (name := part.strip())]
    authorised = False
    try:
        authorised = _is_authorised(request)
        result = check_readiness(names)
    except UnknownDomain as exc:
        return _error(HTTPStatus.NOT_FOUND, exc, names=authorised)
    except DomainMigrationsError as exc:
        return _error(HTTPStatus.SERVICE_UNAVAILABLE, exc, names=authorised)
    status = HTTPStatus.OK if result.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse(result.as_json(names=authorised), status=status)


def _is_authorised(request: HttpRequest) -> bool:
    token = get_settings().readiness_token
    given = request.headers.get("Authorization", "")
    expected = f"Bearer {token}"
    return bool(token) and secrets.compare_digest(given.encode(), expected.encode())


def _error(status: HTTPStatus, exc: DomainMigrationsError, *, names: bool) -> JsonResponse:
    from .engine.runner.results import FORMAT, ErrorInfo

    error = ErrorInfo.of(exc).as_json() if names else {"code": exc.code}
    return JsonResponse({"format": FORMAT, "ready": False, "error": error}, status=status)


# A request's transaction would cost two more round trips, and fail before the view could respond.
for _alias in connections:
    readiness = transaction.non_atomic_requests(_alias)(readiness)
