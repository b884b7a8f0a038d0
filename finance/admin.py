"""Admin pages of finance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.forms import ModelForm
from django.http import HttpRequest

from core.admin_base import ReadOnlyAdmin, StatusForm, acting_user
from core.inlines import Inline
from domain_migrations.references.admin import DomainReferenceAdmin

from . import selectors
from .models import Account, Invoice, InvoiceLine, Journal, JournalLine, Payment


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """The chart of accounts."""

    list_display = ["code", "name_en", "name_th", "kind", "parent", "is_active"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["code", "name_en", "name_th"]
    autocomplete_fields = ["parent"]


class JournalLineInline(Inline):
    """The lines of a journal."""

    model = JournalLine
    related = ("account", "cost_centre")


@admin.register(Journal)
class JournalAdmin(ReadOnlyAdmin):
    """Journals and their lines."""

    list_display = ["number", "entry_date", "description", "amount", "posted_by"]
    list_filter = ["entry_date"]
    list_select_related = ["posted_by"]
    search_fields = ["number", "description"]
    date_hierarchy = "entry_date"
    inlines = [JournalLineInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Journal]:
        return super().get_queryset(request).annotate(debit_total=Sum("lines__debit"))

    @admin.display(ordering="debit_total")
    def amount(self, journal: Any) -> Decimal:
        return journal.debit_total


class InvoiceLineInline(Inline):
    """The lines of an invoice."""

    model = InvoiceLine
    autocomplete_fields = ["account"]
    readonly_fields = ["amount"]


@admin.register(Invoice)
class InvoiceAdmin(DomainReferenceAdmin):
    """Invoices; the supplier and the order belong to another domain and are shown as links."""

    form = StatusForm
    list_display = [
        "supplier_reference",
        "supplier_id",
        "purchase_order_id",
        "issued_on",
        "due_on",
        "status",
        "total",
        "paid",
    ]
    list_filter = ["status", "cost_centre"]
    search_fields = ["supplier_reference", "=supplier_id", "lines__description"]
    autocomplete_fields = ["cost_centre"]
    readonly_fields = ["status", "journal", "created_by"]
    date_hierarchy = "issued_on"
    inlines = [InvoiceLineInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return selectors.invoice_list()

    def has_change_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        is_posted = obj is not None and obj.status != Invoice.Status.DRAFT
        return not is_posted and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Invoice, form: ModelForm[Invoice], change: bool
    ) -> None:
        if not change:
            obj.created_by = acting_user(request)
        super().save_model(request, obj, form, change)

    @admin.display(ordering="total")
    def total(self, invoice: Any) -> Decimal:
        return invoice.total

    @admin.display(ordering="paid")
    def paid(self, invoice: Any) -> Decimal:
        return invoice.paid


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Payments."""

    list_display = ["reference", "invoice", "paid_on", "amount", "method", "journal", "paid_by"]
    list_filter = ["method"]
    list_select_related = ["invoice", "journal", "paid_by"]
    search_fields = ["reference", "invoice__supplier_reference", "journal__number"]
    date_hierarchy = "paid_on"
