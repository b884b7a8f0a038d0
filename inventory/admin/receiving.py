"""Admin pages of receipts."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from inventory.models import Receipt, ReceiptInspector, ReceiptItem
from inventory.selectors import references
from inventory.services.receiving import receipt_post

from .base import RecordedAdmin, run_service


class ReceiptItemInline(admin.TabularInline):
    model = ReceiptItem
    autocomplete_fields = ("order_item",)
    readonly_fields = ("lot",)
    extra = 0


class ReceiptInspectorInline(admin.TabularInline):
    model = ReceiptInspector
    readonly_fields = ("employee",)
    extra = 0

    @admin.display(description="name")
    def employee(self, inspector: ReceiptInspector) -> str:
        """Who the id stands for, according to hr."""
        return references.describe(references.EMPLOYEE, inspector.employee_id)


@admin.register(Receipt)
class ReceiptAdmin(RecordedAdmin):
    list_display = ("number", "order", "vendor", "location", "received_on", "status", "posted_by")
    list_filter = ("status", "location", "received_on")
    list_select_related = ("order__vendor", "location", "posted_by")
    date_hierarchy = "received_on"
    search_fields = ("number", "delivery_note", "order__number", "items__lot_number")
    autocomplete_fields = ("order", "location")
    readonly_fields = (
        *RecordedAdmin.readonly_fields,
        "status",
        "posted_by",
        "posted_at",
        "invoice",
    )
    inlines = (ReceiptItemInline, ReceiptInspectorInline)
    actions = ("post",)

    @admin.display(ordering="order__vendor__name")
    def vendor(self, receipt: Receipt) -> str:
        return str(receipt.order.vendor)

    @admin.display(description="invoice in finance")
    def invoice(self, receipt: Receipt) -> str:
        """Which invoice the id stands for, according to finance."""
        return references.describe(references.INVOICE, receipt.finance_invoice_id)

    @admin.action(description="Post the chosen receipts to stock", permissions=["change"])
    def post(self, request: HttpRequest, queryset: QuerySet[Receipt]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda chosen: receipt_post(receipt=chosen, posted_by=request.user),
            done="posted",
        )
