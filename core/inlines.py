"""Inlines whose number of queries does not grow with the number of rows.

Django's autocomplete widgets query the chosen object of every row again, although the inline's
own query has already read it. These inlines reuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from domain_migrations.references.admin import DomainReferenceTabularInline, ReferencingFormSet


class PreloadedSelect(AutocompleteSelect):
    """An autocomplete widget that takes the chosen object from its form."""

    chosen: Any = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        if self.chosen is None or list(value) != [str(self.chosen.pk)]:
            return super().optgroups(name, value, attr)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        label = self.choices.field.label_from_instance(self.chosen)
        options.append(self.create_option(name, value[0], label, True, len(options)))
        return [(None, options, 0)]


class PreloadedFormSet(ReferencingFormSet):
    """A formset that hands the related objects of each row to the row's widgets."""

    def add_fields(self, form: ModelForm[Any], index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget = getattr(field.widget, "widget", field.widget)
            if isinstance(widget, PreloadedSelect):
                widget.chosen = form.instance._state.fields_cache.get(name)


class Inline(DomainReferenceTabularInline):
    """A tabular inline that reads related objects together with its rows.

    Attributes:
        related: the names for ``select_related``; by default, the autocomplete fields. The row
            that the inline belongs to is always read along, because names of its rows mention it.
    """

    extra = 0
    formset = PreloadedFormSet
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = self.related or tuple(self.autocomplete_fields)
        parents = [
            field.name
            for field in self.model._meta.concrete_fields
            if field.many_to_one and issubclass(self.parent_model, field.related_model)
        ]
        return super().get_queryset(request).select_related(*parents, *related)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = PreloadedSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
