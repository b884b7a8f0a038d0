"""Columns and base classes that several admin pages of the inventory share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from core.admin_base import acting_user


def name_of(field: str) -> Callable[[Any], Any]:
    """Return a list column with the name of the object that a field refers to.

    Django never wraps its own column of a foreign key, so a long name would leave no room for
    the other columns.
    """

    @admin.display(description=field.replace("_", " "), ordering=field)
    def column(row: Any) -> str | None:
        found = getattr(row, field)
        return None if found is None else str(found)

    return column


class RecordedAdmin(admin.ModelAdmin):
    """Pages that record who created a row, and its inline rows that have ``created_by``."""

    readonly_fields: ClassVar[tuple[str, ...]] = ("created_by", "created_at")

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool
    ) -> None:
        if not change:
            obj.created_by = acting_user(request)
        super().save_model(request, obj, form, change)

    def save_formset(
        self,
        request: HttpRequest,
        form: ModelForm[Any],
        formset: BaseModelFormSet[Any, ModelForm[Any]],
        change: bool,
    ) -> None:
        for item in formset.save(commit=False):
            if hasattr(item, "created_by_id") and item.created_by_id is None:
                item.created_by = acting_user(request)
            item.save()
        for item in formset.deleted_objects:
            item.delete()
        formset.save_m2m()
