"""References to other domains in the admin: links, without a query for each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.forms import Widget
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from .fields import DomainReference
from .references import resolve

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin


def link(pk: Any, found: Model | None) -> str:
    """Return a link to the object's admin page; its text or its id alone where there is none."""
    if found is None:
        return "" if pk is None else f"{pk} (not found)"
    options = found._meta
    try:
        url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[pk])
    except NoReverseMatch:
        return str(found)
    return format_html('<a href="{}">{}</a>', url, found)


def column(field: DomainReference) -> Callable[[Model], str]:
    """Return what ``list_display`` and ``readonly_fields`` take, to show the link."""

    @admin.display(description=field.verbose_name, ordering=field.name, empty_value=None)
    def show(obj: Model) -> str:
        return link(field.id_of(obj), getattr(obj, field.object_name))

    show.__name__ = field.name
    return show


class ReferencingChangeList(ChangeList):
    """Fetches what the rows of a page refer to, in one query for each of the other models."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        resolve(self.result_list)


class DomainReferenceAdmin(BaseAdmin):
    """A ``ModelAdmin`` that shows every ``DomainReference`` as a link."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReferencingChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._shown(item) for item in super().get_list_display(request)]

    def _shown(self, item: Any) -> Any:
        field = self._reference(item)
        return item if field is None or item in self.list_editable else column(field)

    def _reference(self, item: Any) -> DomainReference | None:
        try:
            field = self.opts.get_field(item) if isinstance(item, str) else None
        except FieldDoesNotExist:
            return None
        return field if isinstance(field, DomainReference) else None

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        form_field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, DomainReference) and form_field is not None:
            form_field.widget = LinkedInput(form_field.widget, db_field)
        return form_field


class LinkedInput(Widget):
    """The id's own input, and beside it the link to the object that it means."""

    def __init__(self, inner: Widget, field: DomainReference) -> None:
        self.inner, self.field = inner, field
        super().__init__(inner.attrs)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        entered = self.inner.render(name, value, attrs, renderer)
        try:
            pk = self.field.to_python(value)
        except ValueError:
            pk = None
        found = self.field.fetch([pk]).get(pk)
        return format_html("{} {}", entered, link(pk, found))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return self.inner.value_from_datadict(data, files, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return self.inner.value_omitted_from_data(data, files, name)
