"""Links to objects of other domains, and the form widgets that show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteMixin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import Select, Widget
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from ..fields import DomainReference


def link(pk: Any, found: Model | None) -> str:
    """Return a link to the object's admin page; only its text or its id if there is no page."""
    if found is None:
        return "" if pk is None else not_found(pk)
    options = found._meta
    try:
        url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[pk])
    except NoReverseMatch:
        return str(found)
    return format_html('<a href="{}">{}</a>', url, found)


def not_found(pk: Any) -> str:
    """Return the text for an object that does not exist."""
    return f"{pk} (not found)"


def column(field: DomainReference) -> Callable[[Model], str]:
    """Return a callable for ``list_display`` and ``readonly_fields`` that shows the link."""
    title = str(field.verbose_name).removesuffix(" id")

    @admin.display(description=title, ordering=field.name, empty_value=None)
    def show(obj: Model) -> str:
        return link(field.get_id(obj), getattr(obj, field.accessor_name))

    show.__name__ = field.name
    return show


def _pk(field: DomainReference, value: Any) -> Any:
    try:
        return field.to_python(value)
    except (TypeError, ValueError, ValidationError):
        return None


class LinkedInput(Widget):
    """The input of the id, followed by a link to the object."""

    def __init__(self, inner: Widget, field: DomainReference) -> None:
        self.inner, self.field = inner, field
        super().__init__(inner.attrs)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        entered = self.inner.render(name, value, attrs, renderer)
        pk = _pk(self.field, value)
        return format_html("{} {}", entered, link(pk, self.field.fetch([pk]).get(pk)))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return self.inner.value_from_datadict(data, files, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return self.inner.value_omitted_from_data(data, files, name)


class ReferenceSelect(AutocompleteMixin, Select):
    """A search in the other domain, followed by a link to the chosen object.

    Attributes:
        known: the objects already fetched, by id.
    """

    def __init__(self, field: DomainReference, admin_site: AdminSite, *, url: str) -> None:
        super().__init__(field, admin_site)
        self.url = url
        self.known: dict[Any, Model | None] = {}

    def __deepcopy__(self, memo: Any) -> ReferenceSelect:
        copied: ReferenceSelect = super().__deepcopy__(memo)
        copied.known = {}
        return copied

    def get_url(self) -> str:
        return self.url

    def found(self, value: Any) -> tuple[Any, Model | None]:
        """Return the id and the object for a form value, fetching the object once."""
        pk = _pk(self.field, value)
        if pk is not None and pk not in self.known:
            self.known[pk] = self.field.fetch([pk]).get(pk)
        return pk, self.known.get(pk)

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        for chosen in value:
            if chosen not in (None, ""):
                _, found = self.found(chosen)
                label = str(found) if found is not None else not_found(chosen)
                options.append(self.create_option(name, chosen, label, True, len(options)))
        return [(None, options, 0)]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        select = super().render(name, value, attrs, renderer)
        pk, found = self.found(value)
        return select if found is None else format_html("{} {}", select, link(pk, found))
