"""Admin pages of the drug list."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from core.admin_base import acting_user
from core.inlines import Inline
from inventory.models import DosageForm, Drug, DrugComponent, DrugGeneric, DrugUnit, PackRatio

from .base import name_of


@admin.register(DosageForm, DrugUnit)
class LookupAdmin(admin.ModelAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")


class DrugComponentInline(Inline):
    model = DrugComponent
    autocomplete_fields = ("unit",)


@admin.register(DrugGeneric)
class DrugGenericAdmin(admin.ModelAdmin):
    list_display = (
        "working_code",
        "name",
        "strength",
        name_of("dosage_form"),
        "essential_list",
        "priority",
        "reorder_point",
    )
    list_display_links = ("working_code", "name")
    list_filter = (
        "is_active",
        "essential_list",
        "priority",
        "is_controlled",
        ("dosage_form", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("dosage_form",)
    search_fields = ("working_code", "name", "components__substance")
    autocomplete_fields = ("dosage_form", "issue_unit")
    inlines = (DrugComponentInline,)


class PackRatioInline(Inline):
    model = PackRatio
    autocomplete_fields = ("pack_unit",)


@admin.register(Drug)
class DrugAdmin(admin.ModelAdmin):
    list_display = (
        "standard_code",
        "trade_name",
        name_of("generic"),
        name_of("manufacturer"),
        "is_active",
    )
    list_display_links = ("standard_code", "trade_name")
    list_filter = (
        "is_active",
        "generic__essential_list",
        ("generic__dosage_form", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("generic", "manufacturer")
    search_fields = (
        "standard_code",
        "trade_name",
        "tmt_code",
        "generic__name",
        "generic__working_code",
    )
    autocomplete_fields = ("generic", "manufacturer")
    readonly_fields = ("created_by", "created_at")
    inlines = (PackRatioInline,)

    def save_model(
        self, request: HttpRequest, obj: Drug, form: ModelForm[Drug], change: bool
    ) -> None:
        if not change:
            obj.created_by = acting_user(request)
        super().save_model(request, obj, form, change)


@admin.register(PackRatio)
class PackRatioAdmin(admin.ModelAdmin):
    list_display = ("drug", "pack_unit", "units_per_pack", "barcode", "is_default")
    list_filter = ("is_default", "pack_unit")
    list_select_related = ("drug", "pack_unit")
    search_fields = ("drug__trade_name", "drug__standard_code", "barcode")
    autocomplete_fields = ("drug", "pack_unit")
