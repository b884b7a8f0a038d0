"""Queries on the money of budget allocations."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum

from inventory.models import BudgetAllocation, BudgetReservation, PurchaseRequest


def budget_allocation_reserved(*, allocation: BudgetAllocation) -> Decimal:
    """Return the reserved amount of an allocation, ordered or not."""
    unreleased = allocation.reservations.exclude(status=BudgetReservation.Status.RELEASED)
    return unreleased.aggregate(total=Sum("amount"))["total"] or Decimal(0)


def budget_allocation_available(*, allocation: BudgetAllocation) -> Decimal:
    """Return the amount of an allocation that is not reserved."""
    return allocation.amount - budget_allocation_reserved(allocation=allocation)


def purchase_request_amount(*, request: PurchaseRequest) -> Decimal:
    """Return the estimated cost of a purchase request."""
    return sum((item.amount for item in request.items.all()), Decimal(0))
