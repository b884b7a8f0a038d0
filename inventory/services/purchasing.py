"""Asking for drugs and ordering them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from core.models import User
from inventory.exceptions import InsufficientBudget, InvalidTransition
from inventory.models import (
    BudgetAllocation,
    Company,
    Contract,
    DrugGeneric,
    PackRatio,
    ProcurementMethod,
    PurchaseOrder,
    PurchaseOrderItem,
    PurchaseRequest,
    PurchaseRequestItem,
)

from .budget import budget_reservation_commit, budget_reservation_release, budget_reserve

Status = PurchaseRequest.Status


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Units of issue of a generic, at an estimated price."""

    generic: DrugGeneric
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Packs of the drug that the pack ratio is for, at a price for each pack."""

    pack_ratio: PackRatio
    packs: int
    pack_price: Decimal


@transaction.atomic
def purchase_request_create(
    *,
    number: str,
    allocation: BudgetAllocation,
    lines: Sequence[RequestLine],
    created_by: User,
    reason: str = "",
    needed_by: datetime.date | None = None,
) -> PurchaseRequest:
    """Write a draft that asks for generics out of an allocation."""
    request = PurchaseRequest(
        number=number,
        fiscal_year=allocation.fiscal_year,
        department=allocation.department,
        allocation=allocation,
        reason=reason,
        needed_by=needed_by,
        created_by=created_by,
    )
    request.full_clean()
    request.save()
    for line in lines:
        item = PurchaseRequestItem(
            request=request,
            generic=line.generic,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        item.full_clean()
        item.save()
    return request


@transaction.atomic
def purchase_request_submit(*, request: PurchaseRequest, submitted_by: User) -> PurchaseRequest:
    """Hand a draft in and reserve its money."""
    request = _lock(request, allowed=(Status.DRAFT,))
    budget_reserve(request=request, reserved_by=submitted_by)
    request.status = Status.SUBMITTED
    request.full_clean()
    request.save()
    return request


@transaction.atomic
def purchase_request_approve(*, request: PurchaseRequest, approved_by: User) -> PurchaseRequest:
    """Allow a submitted request to be ordered."""
    return _decide(request=request, status=Status.APPROVED, decided_by=approved_by)


@transaction.atomic
def purchase_request_reject(*, request: PurchaseRequest, rejected_by: User) -> PurchaseRequest:
    """Turn a submitted request down and give its money back."""
    request = _decide(request=request, status=Status.REJECTED, decided_by=rejected_by)
    budget_reservation_release(request=request)
    return request


@transaction.atomic
def purchase_order_create(
    *,
    number: str,
    request: PurchaseRequest,
    vendor: Company,
    lines: Sequence[OrderLine],
    ordered_on: datetime.date,
    created_by: User,
    method: str = ProcurementMethod.SPECIFIC,
    contract: Contract | None = None,
    due_on: datetime.date | None = None,
) -> PurchaseOrder:
    """Order drugs for an approved request; it may take several orders, to several vendors.

    Raises:
        InsufficientBudget: the orders of the request would cost more than is reserved for it.
        InvalidTransition: the request is not approved, or the company sells nothing.
    """
    request = _lock(request, allowed=(Status.APPROVED, Status.ORDERED))
    if not vendor.is_vendor:
        raise InvalidTransition(f"{vendor} is not a vendor.")
    total = sum((line.packs * line.pack_price for line in lines), Decimal(0))
    reservation = budget_reservation_commit(request=request)
    spent = request.orders.exclude(status=PurchaseOrder.Status.CANCELLED).aggregate(
        total=Sum("total_amount")
    )
    if total + (spent["total"] or 0) > reservation.amount:
        raise InsufficientBudget(
            f"The orders of purchase request {request} would cost "
            f"{total + (spent['total'] or 0)} baht; {reservation.amount} baht are reserved."
        )
    order = PurchaseOrder(
        number=number,
        request=request,
        vendor=vendor,
        contract=contract,
        method=method,
        ordered_on=ordered_on,
        due_on=due_on,
        status=PurchaseOrder.Status.SENT,
        total_amount=total,
        created_by=created_by,
    )
    order.full_clean()
    order.save()
    for line in lines:
        item = PurchaseOrderItem(
            order=order,
            drug=line.pack_ratio.drug,
            pack_ratio=line.pack_ratio,
            packs=line.packs,
            pack_price=line.pack_price,
        )
        item.full_clean()
        item.save()
    request.status = Status.ORDERED
    request.full_clean()
    request.save()
    return order


def _lock(request: PurchaseRequest, *, allowed: Sequence[str]) -> PurchaseRequest:
    request = PurchaseRequest.objects.select_for_update().get(pk=request.pk)
    if request.status not in allowed:
        raise InvalidTransition(
            f"Purchase request {request} is {request.get_status_display().lower()}."
        )
    return request


def _decide(*, request: PurchaseRequest, status: str, decided_by: User) -> PurchaseRequest:
    request = _lock(request, allowed=(Status.SUBMITTED,))
    if request.created_by_id == decided_by.pk:
        raise InvalidTransition(
            f"Purchase request {request} is decided by somebody other than its author."
        )
    request.status = status
    request.decided_by = decided_by
    request.decided_at = timezone.now()
    request.full_clean()
    request.save()
    return request
