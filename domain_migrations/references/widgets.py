"""How a reference is entered."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteMixin
from django.db.models import Model
from django.forms import Select, Widget
from django.utils.html import format_html

from ..fields import DomainReference
from .links import link, not_found


def _pk(field: DomainReference, value: Any) -> Any:
    try:
        return field.to_python(value)
    except (TypeError, ValueError):
        return None


class LinkedInput(Widget):
    """The id's own input, and beside it the link to the object that it means."""

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
    """A search in the other domain, and beside it the link to the object that was chosen.

    Attributes:
        known: the objects that need no query, by their id.
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
        """Return the id and the object that a value stands for, asked for once."""
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
