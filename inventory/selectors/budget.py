"""What money is left."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import QuerySet, Sum

from inventory.models import BudgetAllocation, BudgetPlan, BudgetReservation, PurchaseRequest


def allocation_reserved(*, allocation: BudgetAllocation) -> Decimal:
    """Return what of an allocation is spoken for, ordered or not."""
    open_reservations = allocation.reservations.exclude(status=BudgetReservation.Status.RELEASED)
    return open_reservations.aggregate(total=Sum("amount"))["total"] or Decimal(0)


def allocation_available(*, allocation: BudgetAllocation) -> Decimal:
    """Return what of an allocation nobody has spoken for."""
    return allocation.amount - allocation_reserved(allocation=allocation)


def request_amount(*, request: PurchaseRequest) -> Decimal:
    """Return what a purchase request is expected to cost."""
    return sum((item.amount for item in request.items.all()), Decimal(0))


def plan_list(*, fiscal_year: int) -> QuerySet[BudgetPlan]:
    """Return the purchase plan of a fiscal year."""
    return BudgetPlan.objects.filter(fiscal_year=fiscal_year).select_related(
        "department", "generic"
    )
