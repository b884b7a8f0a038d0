"""Speaking for money, and giving it back."""

from __future__ import annotations

from django.db import transaction

from core.models import User
from inventory.exceptions import InsufficientBudget, InvalidTransition
from inventory.models import BudgetAllocation, BudgetReservation, PurchaseRequest
from inventory.selectors.budget import allocation_available, request_amount

Status = BudgetReservation.Status


@transaction.atomic
def budget_reserve(*, request: PurchaseRequest, reserved_by: User) -> BudgetReservation:
    """Reserve what a purchase request is expected to cost in its allocation.

    Raises:
        InsufficientBudget: less is left.
        InvalidTransition: the request costs nothing.
    """
    amount = request_amount(request=request)
    if amount <= 0:
        raise InvalidTransition(f"Purchase request {request} asks for nothing that costs money.")
    # The lock makes concurrent requests see one another's reservations.
    allocation = BudgetAllocation.objects.select_for_update().get(pk=request.allocation_id)
    available = allocation_available(allocation=allocation)
    if amount > available:
        raise InsufficientBudget(
            f"Purchase request {request} costs {amount} baht; {available} baht are left."
        )
    reservation = BudgetReservation(
        allocation=allocation, request=request, amount=amount, created_by=reserved_by
    )
    reservation.full_clean()
    reservation.save()
    return reservation


def budget_reservation_commit(*, request: PurchaseRequest) -> BudgetReservation:
    """Mark the money of a purchase request as ordered.

    Raises:
        InvalidTransition: nothing is reserved for it.
    """
    return _reservation_change(request=request, status=Status.COMMITTED)


def budget_reservation_release(*, request: PurchaseRequest) -> BudgetReservation:
    """Give the money of a purchase request back to its allocation.

    Raises:
        InvalidTransition: nothing is reserved for it.
    """
    return _reservation_change(request=request, status=Status.RELEASED)


@transaction.atomic
def _reservation_change(*, request: PurchaseRequest, status: str) -> BudgetReservation:
    reservation = (
        BudgetReservation.objects.select_for_update()
        .filter(request=request)
        .exclude(status=Status.RELEASED)
        .first()
    )
    if reservation is None:
        raise InvalidTransition(f"Nothing is reserved for purchase request {request}.")
    reservation.status = status
    reservation.full_clean()
    reservation.save()
    return reservation
