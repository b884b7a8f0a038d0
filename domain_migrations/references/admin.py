"""Admin classes for models with a ``DomainReference``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, path, reverse

from ..fields import DomainReference
from .resolution import resolve
from .widgets import LinkedInput, ReferenceSelect, column

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
    BaseStacked = admin.StackedInline[Any, Any]
    BaseTabular = admin.TabularInline[Any, Any]
    BaseFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    BaseAdmin = admin.ModelAdmin
    BaseStacked = admin.StackedInline
    BaseTabular = admin.TabularInline
    BaseFormSet = BaseInlineFormSet

__all__ = [
    "DomainReferenceAdmin",
    "DomainReferenceStackedInline",
    "DomainReferenceTabularInline",
]


def reference(model: type[Model], name: Any) -> DomainReference | None:
    """Return the model's ``DomainReference`` of that name; None for any other name."""
    try:
        field = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, DomainReference) else None


class ReferencesMixin:
    """Shows references as links, and edits them with a search in the other domain."""

    model: Any
    admin_site: Any

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        base: Any = super()
        form_field = base.formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, DomainReference) and form_field is not None:
            url = self._search_url(db_field)
            form_field.widget = (
                ReferenceSelect(db_field, self.admin_site, url=url)
                if url
                else LinkedInput(form_field.widget, db_field)
            )
            form_field.widget.is_required = form_field.required
        return form_field

    def _search_url(self, field: DomainReference) -> str | None:
        """Return the URL of the search; None if the other model cannot be searched."""
        other = self.admin_site._registry.get(field.target())
        if other is None or not other.search_fields:
            return None
        # The search of an inline is on the page that it is part of.
        options = (getattr(self, "parent_model", None) or self.model)._meta
        try:
            return reverse(
                f"{self.admin_site.name}:{options.app_label}_{options.model_name}_references",
                args=[field.model._meta.label_lower, field.name],
            )
        except NoReverseMatch:
            return None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        base: Any = super()
        fieldsets = base.get_fieldsets(request, obj)
        may_change: Any = self
        if obj is None or may_change.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [self._shown(name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def _shown(self, item: Any) -> Any:
        if isinstance(item, list | tuple):
            return [self._shown(name) for name in item]
        field = reference(self.model, item)
        return item if field is None else column(field)


class ReferenceSearch(AutocompleteJsonView):
    """A search by the other model's admin, for users who may view that model."""

    field: DomainReference | None = None

    def process_request(self, request: HttpRequest) -> Any:
        """Do what Django's method does for a foreign key.

        Raises:
            PermissionDenied: the other model has no admin, or its admin has no search.
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


class ReferencingChangeList(ChangeList):
    """Fetches the referenced objects of a page, with one query for each model."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        resolve(self.result_list)


class DomainReferenceAdmin(ReferencesMixin, BaseAdmin):
    """A ``ModelAdmin`` that shows each ``DomainReference`` as a link, and edits it by a search."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_references"
        view = self.admin_site.admin_view(self.search_references)
        return [path("references/<str:label>/<str:field>/", view, name=name), *super().get_urls()]

    def search_references(self, request: HttpRequest, label: str, field: str) -> HttpResponseBase:
        """Search the objects that a reference of this page may refer to.

        Raises:
            PermissionDenied: the page has no such reference.
        """
        for model in (self.model, *(inline.model for inline in self.inlines)):
            found = reference(model, field) if model._meta.label_lower == label else None
            if found is not None:
                return ReferenceSearch.as_view(admin_site=self.admin_site, field=found)(request)
        raise PermissionDenied

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReferencingChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [
            item if item in self.list_editable else self._shown(item)
            for item in super().get_list_display(request)
        ]


class ReferencingFormSet(BaseFormSet):
    """Fetches the referenced objects of the rows, with one query for each model."""

    def get_queryset(self) -> Any:
        first = not hasattr(self, "_queryset")
        rows = super().get_queryset()
        if first:
            resolve(rows)
        return rows

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            if isinstance(field.widget, ReferenceSelect) and form.instance.pk is not None:
                own: DomainReference = field.widget.field
                field.widget.known[own.get_id(form.instance)] = getattr(
                    form.instance, own.accessor_name
                )


class DomainReferenceTabularInline(ReferencesMixin, BaseTabular):
    """A ``TabularInline`` for a page of a :class:`DomainReferenceAdmin`."""

    formset = ReferencingFormSet


class DomainReferenceStackedInline(ReferencesMixin, BaseStacked):
    """A ``StackedInline`` for a page of a :class:`DomainReferenceAdmin`."""

    formset = ReferencingFormSet
