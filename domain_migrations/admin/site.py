"""The registration of the pages in Django's admin: one model without a table, and its URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from ..permissions import visible_domains
from . import page

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin

NAVIGATION = (("Overview", "domain_changelist"), ("Map", "map"), ("Journal", "journal"))
"""The links at the top of every page: title and URL name."""


class DomainAdmin(BaseAdmin):
    """The pages of the engine. They are read-only: nothing can be added, changed or run."""

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
        """Return the engine's pages, without any of Django's that change objects."""
        return [
            self._path("", "overview.overview", "domain_changelist"),
            self._path("map/", "map.domains_map", "map"),
            self._path("journal/", "journal.journal", "journal"),
            self._path("journal/<uuid:run>/", "journal.run", "run"),
            self._path("json/status/", "json_views.status", "status_json"),
            self._path("json/journal/", "json_views.journal", "journal_json"),
            self._path("json/map/", "json_views.domains_map", "map_json"),
            self._path("domain/<str:name>/", "domain.domain", "detail"),
            self._path(
                "domain/<str:name>/<str:app>/<str:migration>/", "migration.migration", "migration"
            ),
        ]

    def _path(self, route: str, view: str, name: str) -> URLPattern:
        """Return the URL of a page.

        Arguments:
            view: module and function, imported by the first request: every command imports this
                module, and few need the pages. The function takes the request, the domains that
                the user may view, and the URL's arguments, and returns a page or a response.
        """

        @require_safe
        def serve(request: HttpRequest, **captured: Any) -> HttpResponseBase:
            visible = visible_domains(request.user)
            if not visible:
                raise PermissionDenied
            page_of: Any = import_string(f"{__package__}.{view}")
            shown = page_of(request, visible, **captured)
            return self._render(request, shown) if isinstance(shown, page.Page) else shown

        return path(route, self.admin_site.admin_view(serve), name=f"domain_migrations_{name}")

    def _render(self, request: HttpRequest, shown: page.Page) -> TemplateResponse:
        request.current_app = self.admin_site.name
        links = [(title, page.url(name)) for title, name in NAVIGATION]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": shown.title,
            "trail": shown.trail,
            "pages": [
                {"title": title, "url": url, "current": url == request.path} for title, url in links
            ],
            "commands": shown.commands,
            **shown.context,
        }
        return TemplateResponse(request, f"domain_migrations/admin/{shown.template}", context)
