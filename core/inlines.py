"""Rows inside another row's admin page, as quick with a hundred of them as with one.

Django's search fields ask once more for each row what its foreign keys point at, although the
rows have been read with it. These take it from there.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey, QuerySet
from django.forms import Form
from django.http import HttpRequest

from domain_migrations.references.admin import DomainReferenceTabularInline, ReferencingFormSet


class KnownSelect(AutocompleteSelect):
    """A search field that is told what it has chosen."""

    known: Any = None

    def optgroups(self, name: str, value: list[str], attr: Any = None) -> Any:
        if self.known is None or value != [str(self.known.pk)]:
            return super().optgroups(name, value, attr)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        label = self.choices.field.label_from_instance(self.known)
        options.append(self.create_option(name, value[0], label, True, len(options)))
        return [(None, options, 0)]


class KnownFormSet(ReferencingFormSet):
    """Tells each row's search fields what the row was read with."""

    def add_fields(self, form: Form, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget = getattr(field.widget, "widget", field.widget)
            if isinstance(widget, KnownSelect):
                widget.known = form.instance._state.fields_cache.get(name)


class Inline(DomainReferenceTabularInline):
    """A table of rows that read what they refer to in the query that reads them.

    Attributes:
        related: what to read with the rows, as for ``select_related``; what is searched for
            unless given.
    """

    extra = 0
    formset = KnownFormSet
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = self.related or tuple(self.autocomplete_fields)
        rows = super().get_queryset(request)
        return rows.select_related(*related) if related else rows

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = KnownSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
