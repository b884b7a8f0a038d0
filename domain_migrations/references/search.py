"""The search in another domain, answered as Django's own autocompletion is."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from ..fields import DomainReference


class ReferenceSearch(AutocompleteJsonView):
    """What the other model's admin finds, for those who may look at the other model."""

    field: DomainReference | None = None

    def process_request(self, request: HttpRequest) -> Any:
        """As Django's, which finds the other model by a foreign key.

        Raises:
            PermissionDenied: the other model has no admin pages to search in.
        """
        target: Any = self.field.target() if self.field is not None else None
        site: Any = self.admin_site
        try:
            model_admin = site.get_model_admin(target)
        except NotRegistered as exc:
            raise PermissionDenied from exc
        if not model_admin.get_search_fields(request):
            raise PermissionDenied
        return request.GET.get("term", ""), model_admin, self.field, target._meta.pk.attname

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any]
        found, repeated = self.model_admin.get_search_results(
            self.request, self.model_admin.get_queryset(self.request), self.term
        )
        return found.distinct() if repeated else found
