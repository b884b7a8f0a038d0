"""How the pages hang in Django's admin: one model without a table, and URLs of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.handlers.exception import response_for_exception
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from ..permissions import visible_domains
from . import page, views
from .security_headers import add_headers, method_not_allowed

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin

View = Callable[..., page.Page]

PAGES = (("Overview", "domain_changelist"), ("Map", "map"), ("Journal", "journal"))
"""What every page leads to: title and URL name."""


class DomainAdmin(BaseAdmin):
    """The pages of the engine; nobody can add, change, delete or apply anything by them."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(visible_domains(request.user))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        """Return the engine's pages and none of those by which Django changes things."""
        return [
            self._page("", views.overview, "domain_changelist"),
            self._page("map/", views.domains_map, "map"),
            self._page("journal/", views.journal, "journal"),
            self._page("journal/<uuid:run>/", views.run, "run"),
            self._page("domain/<str:name>/", views.domain, "detail"),
            self._page(
                "domain/<str:name>/<str:app>/<str:migration>/", views.migration, "migration"
            ),
        ]

    def _page(self, route: str, view: View, name: str) -> URLPattern:
        def serve(request: HttpRequest, **captured: Any) -> HttpResponseBase:
            try:
                return method_not_allowed(request) or self._answer(request, view, captured)
            except (Http404, PermissionDenied) as exc:
                if settings.DEBUG:
                    raise  # Django's page for developers has its styles inline.
                return response_for_exception(request, exc)

        guarded = self.admin_site.admin_view(serve)

        def protected(request: HttpRequest, **captured: Any) -> HttpResponseBase:
            # What leads to signing in is an answer too.
            return add_headers(guarded(request, **captured))

        return path(route, protected, name=f"domain_migrations_{name}")

    def _answer(self, request: HttpRequest, view: View, captured: dict[str, Any]) -> Any:
        seen = visible_domains(request.user)
        if not seen:
            raise PermissionDenied
        request.current_app = self.admin_site.name
        shown = view(request, seen, **captured)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": shown.title,
            "trail": shown.trail,
            "pages": self._pages(request),
            "commands": shown.commands,
            **shown.context,
        }
        return TemplateResponse(request, f"domain_migrations/admin/{shown.template}", context)

    def _pages(self, request: HttpRequest) -> list[dict[str, Any]]:
        urls = [(title, page.url(name)) for title, name in PAGES]
        return [{"title": title, "url": url, "current": url == request.path} for title, url in urls]
