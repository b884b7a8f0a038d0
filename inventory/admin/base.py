"""What several admin pages of the inventory share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import BaseFormSet, ModelForm
from django.http import HttpRequest

from inventory.exceptions import InventoryError


def name_of(field: str) -> Callable[[Model], str | None]:
    """Return a column with the name of what a field refers to.

    Django keeps its own column of a foreign key on one line, so that long names leave the
    others no room.
    """

    @admin.display(description=field.replace("_", " "), ordering=field)
    def column(row: Model) -> str | None:
        found = getattr(row, field)
        return None if found is None else str(found)

    return column


class RecordedAdmin(admin.ModelAdmin):
    """Writes down who created a document, and its items where they say so too."""

    readonly_fields = ("created_by", "created_at")

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: BaseFormSet, change: bool
    ) -> None:
        for item in formset.save(commit=False):
            if hasattr(item, "created_by_id") and item.created_by_id is None:
                item.created_by = request.user
            item.save()
        for item in formset.deleted_objects:
            item.delete()
        formset.save_m2m()


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows what the database or a service writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def run_service(
    modeladmin: admin.ModelAdmin,
    request: HttpRequest,
    documents: Iterable[Model],
    service: Callable[[Model], object],
    *,
    done: str,
) -> None:
    """Run a service for each chosen document and say which of them it refused."""
    succeeded = 0
    for document in documents:
        try:
            service(document)
        except InventoryError as error:
            modeladmin.message_user(request, str(error), messages.ERROR)
        else:
            succeeded += 1
    if succeeded:
        modeladmin.message_user(request, f"{succeeded} {done}.", messages.SUCCESS)
