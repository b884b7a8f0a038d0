"""What every response of the engine's pages carries, and what they answer to."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed

METHODS = ("GET", "HEAD")
HEADER = "Content-Security-Policy"


def content_security_policy() -> str:
    """Return the policy: nothing but what this site itself serves, and nothing inline."""
    parts = urlsplit(settings.STATIC_URL or "")
    # Static files may be served by another host, which is then the project's own choice.
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


def method_not_allowed(request: HttpRequest) -> HttpResponseBase | None:
    """Return the answer to a request that is not for reading; None to one that is."""
    return None if request.method in METHODS else HttpResponseNotAllowed(METHODS)


def add_headers(response: HttpResponseBase) -> HttpResponseBase:
    """Give the response the headers of the engine's pages."""
    response.headers[HEADER] = content_security_policy()
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store, private"
    return response
