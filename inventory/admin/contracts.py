"""Admin pages of contracts."""

from __future__ import annotations

from django.contrib import admin

from core.inlines import Inline
from inventory.models import Contract, ContractItem

from .base import RecordedAdmin, name_of


class ContractItemInline(Inline):
    model = ContractItem
    autocomplete_fields = ("drug", "pack_ratio")
    related = ("drug", "pack_ratio__pack_unit")


@admin.register(Contract)
class ContractAdmin(RecordedAdmin):
    list_display = (
        "number",
        "title",
        name_of("vendor"),
        "starts_on",
        "ends_on",
        "total_value",
        "status",
    )
    list_filter = ("status", "fiscal_year", "method")
    list_select_related = ("vendor",)
    date_hierarchy = "starts_on"
    search_fields = ("number", "title", "vendor__name", "items__drug__trade_name")
    autocomplete_fields = ("vendor",)
    inlines = (ContractItemInline,)
