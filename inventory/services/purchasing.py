"""Changes to purchase requests and purchase orders."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from core.models import User
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

from .budget import (
    budget_reservation_commit,
    budget_reservation_create,
    budget_reservation_release,
)

Status = PurchaseRequest.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """A quantity of a generic, in units of issue, at an estimated price per unit."""

    generic: DrugGeneric
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A number of packs of a pack ratio's drug, at a price per pack."""

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
    """Create a draft that requests generics, to be paid from an allocation."""
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
    """Submit a draft and reserve its estimated cost.

    Raises:
        ValidationError: the request is not a draft, or its allocation has too little left.
    """
    request = _lock(request, allowed=(Status.DRAFT,))
    budget_reservation_create(request=request, created_by=submitted_by)
    request.status = Status.SUBMITTED
    request.full_clean()
    request.save()
    return request


@transaction.atomic
def purchase_request_approve(*, request: PurchaseRequest, approved_by: User) -> PurchaseRequest:
    """Approve a submitted request, so that it can be ordered.

    Raises:
        ValidationError: the request is not submitted, or is the deciding user's own.
    """
    return _decide(request=request, status=Status.APPROVED, decided_by=approved_by)


@transaction.atomic
def purchase_request_reject(*, request: PurchaseRequest, rejected_by: User) -> PurchaseRequest:
    """Reject a submitted request and release its reserved money.

    Raises:
        ValidationError: the request is not submitted, or is the deciding user's own.
    """
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
    """Order drugs for an approved request, which may have several orders.

    Raises:
        ValidationError: the request is not approved, the company is not a vendor, or the orders
            of the request would cost more than is reserved for it.
    """
    request = _lock(request, allowed=(Status.APPROVED, Status.ORDERED))
    if not vendor.is_vendor:
        raise ValidationError(f"{vendor} is not a vendor.")
    total = sum((line.packs * line.pack_price for line in lines), Decimal(0))
    reservation = budget_reservation_commit(request=request)
    spent = request.orders.exclude(status=PurchaseOrder.Status.CANCELLED).aggregate(
        total=Sum("total_amount")
    )
    if total + (spent["total"] or 0) > reservation.amount:
        raise ValidationError(
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
        expected = " or ".join(f'"{Status(status).label}"' for status in allowed)
        raise ValidationError(
            f"The status of purchase request {request} is "
            f'"{request.get_status_display()}", not {expected}.'
        )
    return request


def _decide(*, request: PurchaseRequest, status: str, decided_by: User) -> PurchaseRequest:
    request = _lock(request, allowed=(Status.SUBMITTED,))
    if request.created_by_id == decided_by.pk:
        raise ValidationError(f"Purchase request {request} cannot be decided by its author.")
    request.status = status
    request.decided_by = decided_by
    request.decided_at = timezone.now()
    request.full_clean()
    request.save()
    return request
