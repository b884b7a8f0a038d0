"""Admin pages of budgets, allocations, plans and reservations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from core.admin_base import ReadOnlyAdmin
from domain_migrations.references.admin import DomainReferenceAdmin
from inventory.models import (
    Budget,
    BudgetAllocation,
    BudgetCategory,
    BudgetPlan,
    BudgetReservation,
    BudgetType,
)

from .base import RecordedAdmin, name_of


@admin.register(BudgetType)
class BudgetTypeAdmin(admin.ModelAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")


@admin.register(BudgetCategory)
class BudgetCategoryAdmin(DomainReferenceAdmin):
    list_display = ("code", "name", "finance_account_id")
    search_fields = ("code", "name")


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):
    list_display = ("code", "name", name_of("type"), name_of("category"), "is_active")
    list_filter = ("is_active", "type", "category")
    list_select_related = ("type", "category")
    search_fields = ("code", "name")
    autocomplete_fields = ("type", "category")


@admin.register(BudgetAllocation)
class BudgetAllocationAdmin(RecordedAdmin):
    list_display = (
        "fiscal_year",
        name_of("budget"),
        name_of("department"),
        "amount",
        "reserved",
        "available",
    )
    list_display_links = ("fiscal_year",)
    list_filter = ("fiscal_year", "budget", "department")
    list_select_related = ("budget", "department")
    search_fields = ("budget__code", "budget__name", "department__code", "department__name")
    autocomplete_fields = ("budget", "department")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetAllocation]:
        open_reservations = Sum(
            "reservations__amount",
            filter=~Q(reservations__status=BudgetReservation.Status.RELEASED),
        )
        return (
            super()
            .get_queryset(request)
            .annotate(reserved_amount=Coalesce(open_reservations, Decimal(0)))
        )

    @admin.display(ordering="reserved_amount")
    def reserved(self, allocation: Any) -> Decimal:
        return allocation.reserved_amount

    @admin.display
    def available(self, allocation: Any) -> Decimal:
        return allocation.amount - allocation.reserved_amount


@admin.register(BudgetPlan)
class BudgetPlanAdmin(RecordedAdmin):
    list_display = (
        "fiscal_year",
        name_of("department"),
        name_of("generic"),
        "used_last_year",
        "quantity",
        "unit_price",
        "amount",
    )
    list_display_links = ("fiscal_year",)
    list_filter = ("fiscal_year", "department", "generic__priority")
    list_select_related = ("department", "generic")
    search_fields = ("generic__working_code", "generic__name", "department__code")
    autocomplete_fields = ("department", "generic")


@admin.register(BudgetReservation)
class BudgetReservationAdmin(ReadOnlyAdmin):
    list_display = ("request", "allocation", "amount", "status", "created_at", "created_by")
    list_filter = ("status", "allocation__fiscal_year", "allocation__budget")
    list_select_related = (
        "request",
        "allocation__budget",
        "allocation__department",
        "created_by",
    )
    date_hierarchy = "created_at"
    search_fields = ("request__number", "allocation__budget__code")
