"""Admin pages of receipts."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin_base import acting_user, run_service
from core.inlines import Inline
from domain_migrations.references.admin import DomainReferenceAdmin
from inventory.models import Receipt, ReceiptInspector, ReceiptItem
from inventory.services.receiving import receipt_post

from .base import RecordedAdmin


class ReceiptItemInline(Inline):
    model = ReceiptItem
    autocomplete_fields = ("order_item",)
    readonly_fields = ("lot",)
    related = ("order_item__drug", "order_item__order", "lot")


class ReceiptInspectorInline(Inline):
    model = ReceiptInspector


@admin.register(Receipt)
class ReceiptAdmin(RecordedAdmin, DomainReferenceAdmin):
    list_display = ("number", "order", "vendor", "location", "received_on", "status", "posted_by")
    list_filter = ("status", "location")
    list_select_related = ("order__vendor", "location", "posted_by")
    date_hierarchy = "received_on"
    search_fields = ("number", "delivery_note", "order__number", "items__lot_number")
    autocomplete_fields = ("order", "location")
    readonly_fields = (
        *RecordedAdmin.readonly_fields,
        "status",
        "posted_by",
        "posted_at",
    )
    inlines = (ReceiptItemInline, ReceiptInspectorInline)
    actions = ("post",)

    @admin.display(ordering="order__vendor__name")
    def vendor(self, receipt: Receipt) -> str:
        return str(receipt.order.vendor)

    @admin.action(description="Post selected receipts to stock", permissions=["change"])
    def post(self, request: HttpRequest, queryset: QuerySet[Receipt]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: receipt_post(receipt=row, posted_by=acting_user(request)),
            done="posted",
        )
