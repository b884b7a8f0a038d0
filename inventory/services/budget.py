"""Reservations of budget money for purchase requests."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from core.models import User
from inventory.models import BudgetAllocation, BudgetReservation, PurchaseRequest
from inventory.selectors.budget import budget_allocation_available, purchase_request_amount

Status = BudgetReservation.Status


@transaction.atomic
def budget_reservation_create(*, request: PurchaseRequest, created_by: User) -> BudgetReservation:
    """Reserve the estimated cost of a purchase request in its allocation.

    Raises:
        ValidationError: the cost is zero or exceeds what the allocation has left.
    """
    amount = purchase_request_amount(request=request)
    if amount <= 0:
        raise ValidationError(
            f"Purchase request {request} costs nothing, so there is nothing to reserve."
        )
    # The lock serializes concurrent requests, so each sees the reservations of the others.
    allocation = BudgetAllocation.objects.select_for_update().get(pk=request.allocation_id)
    available = budget_allocation_available(allocation=allocation)
    if amount > available:
        raise ValidationError(
            f"Purchase request {request} costs {amount} baht; {available} baht are left."
        )
    reservation = BudgetReservation(
        allocation=allocation, request=request, amount=amount, created_by=created_by
    )
    reservation.full_clean()
    reservation.save()
    return reservation


def budget_reservation_commit(*, request: PurchaseRequest) -> BudgetReservation:
    """Mark the reservation of a purchase request as committed by an order.

    Raises:
        ValidationError: the request has no reservation.
    """
    return _set_status(request=request, status=Status.COMMITTED)


def budget_reservation_release(*, request: PurchaseRequest) -> BudgetReservation:
    """Release the reserved money of a purchase request to its allocation.

    Raises:
        ValidationError: the request has no reservation.
    """
    return _set_status(request=request, status=Status.RELEASED)


@transaction.atomic
def _set_status(*, request: PurchaseRequest, status: str) -> BudgetReservation:
    reservation = (
        BudgetReservation.objects.select_for_update()
        .filter(request=request)
        .exclude(status=Status.RELEASED)
        .first()
    )
    if reservation is None:
        raise ValidationError(f"Purchase request {request} has no reservation.")
    reservation.status = status
    reservation.full_clean()
    reservation.save()
    return reservation
