"""Headers of every response of this project."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"
ERRORS = 400


def content_security_policy() -> str:
    """Return a policy that allows only what this site serves, and nothing inline."""
    parts = urlsplit(settings.STATIC_URL or "")
    # The project may serve its static files from another host.
    own = "'self'" + (f" {parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else "")
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {own}",
            f"script-src {own}",
            f"img-src {own}",
            f"font-src {own}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
        ]
    )


def content_security(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Set a Content-Security-Policy on every response that does not have one.

    Django has a middleware for this since 6.0; the project also runs on 5.2.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django's technical error pages have inline styles and scripts.
        if not (settings.DEBUG and response.status_code >= ERRORS):
            response.headers.setdefault(HEADER, content_security_policy())
        return response

    return middleware
