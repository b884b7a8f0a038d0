"""Admin pages of purchase requests and orders."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin_base import acting_user, run_service
from core.inlines import Inline
from inventory.models import (
    PurchaseOrder,
    PurchaseOrderItem,
    PurchaseRequest,
    PurchaseRequestItem,
)
from inventory.services.purchasing import (
    purchase_request_approve,
    purchase_request_reject,
    purchase_request_submit,
)

from .base import RecordedAdmin, name_of


class PurchaseRequestItemInline(Inline):
    model = PurchaseRequestItem
    autocomplete_fields = ("generic",)


@admin.register(PurchaseRequest)
class PurchaseRequestAdmin(RecordedAdmin):
    list_display = (
        "number",
        "fiscal_year",
        name_of("department"),
        "status",
        "needed_by",
        "created_by",
    )
    list_filter = ("status", "fiscal_year", "department")
    list_select_related = ("department", "created_by")
    date_hierarchy = "created_at"
    search_fields = ("number", "reason", "items__generic__name")
    autocomplete_fields = ("department", "allocation")
    readonly_fields = (*RecordedAdmin.readonly_fields, "status", "decided_by", "decided_at")
    inlines = (PurchaseRequestItemInline,)
    actions = ("submit", "approve", "reject")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may decide on purchase requests."""
        return request.user.has_perm("inventory.approve_purchaserequest")

    @admin.action(description="Submit selected purchase requests", permissions=["change"])
    def submit(self, request: HttpRequest, queryset: QuerySet[PurchaseRequest]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: purchase_request_submit(request=row, submitted_by=acting_user(request)),
            done="submitted",
        )

    @admin.action(description="Approve selected purchase requests", permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: QuerySet[PurchaseRequest]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: purchase_request_approve(request=row, approved_by=acting_user(request)),
            done="approved",
        )

    @admin.action(description="Reject selected purchase requests", permissions=["approve"])
    def reject(self, request: HttpRequest, queryset: QuerySet[PurchaseRequest]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: purchase_request_reject(request=row, rejected_by=acting_user(request)),
            done="rejected",
        )


class PurchaseOrderItemInline(Inline):
    model = PurchaseOrderItem
    autocomplete_fields = ("drug", "pack_ratio")
    related = ("order", "drug", "pack_ratio__pack_unit")
    readonly_fields = ("packs_received",)


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(RecordedAdmin):
    list_display = (
        "number",
        name_of("vendor"),
        "method",
        "ordered_on",
        "due_on",
        "status",
        "total_amount",
    )
    list_filter = ("status", "method")
    list_select_related = ("vendor",)
    date_hierarchy = "ordered_on"
    search_fields = ("number", "vendor__name", "request__number", "contract__number")
    autocomplete_fields = ("request", "vendor", "contract")
    inlines = (PurchaseOrderItemInline,)


@admin.register(PurchaseOrderItem)
class PurchaseOrderItemAdmin(admin.ModelAdmin):
    """Ordered items, which the items of receipts search for."""

    list_display = ("order", "drug", "pack_ratio", "packs", "packs_received", "pack_price")
    list_filter = ("order__status",)
    list_select_related = ("order", "drug", "pack_ratio__pack_unit")
    search_fields = ("order__number", "drug__trade_name", "drug__standard_code")
    autocomplete_fields = ("order", "drug", "pack_ratio")
    readonly_fields = ("packs_received",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseOrderItem]:
        return super().get_queryset(request).select_related(*self.list_select_related)
