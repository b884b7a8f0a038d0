"""Admin pages of lots and stock, read-only where services or triggers write the rows."""

from __future__ import annotations

from django.contrib import admin

from core.admin_base import ReadOnlyAdmin
from inventory.models import DrugLot, StockLevel, StockOnHand, StockTransaction

from .base import RecordedAdmin, name_of


@admin.register(DrugLot)
class DrugLotAdmin(RecordedAdmin):
    list_display = ("lot_number", name_of("drug"), "expires_on", "unit_cost", "is_quarantined")
    list_filter = ("is_quarantined",)
    list_select_related = ("drug",)
    date_hierarchy = "expires_on"
    search_fields = ("lot_number", "drug__trade_name", "drug__standard_code")
    autocomplete_fields = ("drug",)


@admin.register(StockLevel)
class StockLevelAdmin(ReadOnlyAdmin):
    list_display = ("location", "drug", "lot", "quantity", "updated_at")
    list_filter = ("location", "lot__is_quarantined")
    list_select_related = ("location", "lot__drug")
    search_fields = ("lot__lot_number", "lot__drug__trade_name", "lot__drug__standard_code")

    @admin.display(ordering="lot__drug__trade_name")
    def drug(self, level: StockLevel) -> str:
        return str(level.lot.drug)


@admin.register(StockOnHand)
class StockOnHandAdmin(ReadOnlyAdmin):
    list_display = (
        name_of("drug"),
        name_of("location"),
        "quantity",
        "usable",
        "lots",
        "next_expiry",
        "value",
    )
    list_filter = ("location", "drug__generic__priority")
    list_select_related = ("drug", "location")
    search_fields = ("drug__trade_name", "drug__standard_code", "drug__generic__name")


@admin.register(StockTransaction)
class StockTransactionAdmin(ReadOnlyAdmin):
    list_display = (
        "occurred_at",
        "kind",
        name_of("location"),
        name_of("lot"),
        "quantity",
        name_of("department"),
        "created_by",
    )
    list_filter = ("kind", "location")
    list_select_related = ("location", "lot", "department", "created_by")
    date_hierarchy = "occurred_at"
    search_fields = ("reference", "lot__lot_number", "lot__drug__trade_name")
