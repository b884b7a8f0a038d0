"""What every answer of this project carries."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from domain_migrations.admin.security_headers import HEADER, content_security_policy

ERRORS = 400


def content_security(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give the engine's policy to every answer that has none, Django's own pages included.

    Django has a middleware for this from 6.0 on; the project runs on 5.2 too.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's pages about errors for developers have their styles and scripts inline.
        if not (settings.DEBUG and response.status_code >= ERRORS):
            response.headers.setdefault(HEADER, content_security_policy())
        return response

    return middleware
