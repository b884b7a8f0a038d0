"""Changes to budget requests; a trigger writes their audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from core.models import User
from inventory.models import (
    Budget,
    BudgetAllocation,
    BudgetRequest,
    BudgetRequestComment,
    BudgetRequestItem,
    Department,
)

from .purchasing import RequestLine

Status = BudgetRequest.Status

NEXT: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.SUBMITTED,),
    Status.SUBMITTED: (Status.REVIEWED, Status.REJECTED),
    Status.REVIEWED: (Status.APPROVED, Status.REJECTED),
    Status.REJECTED: (Status.DRAFT,),
    Status.APPROVED: (),
}
"""The statuses that may follow each status; a rejected request can be revised."""


@transaction.atomic
def budget_request_create(
    *,
    number: str,
    fiscal_year: int,
    department: Department,
    budget: Budget,
    lines: Sequence[RequestLine],
    created_by: User,
    justification: str = "",
) -> BudgetRequest:
    """Create a draft that requests budget money for generics."""
    request = BudgetRequest(
        number=number,
        fiscal_year=fiscal_year,
        department=department,
        budget=budget,
        justification=justification,
        created_by=created_by,
        updated_by=created_by,
    )
    request.full_clean()
    request.save()
    for line in lines:
        item = BudgetRequestItem(
            request=request,
            generic=line.generic,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        item.full_clean()
        item.save()
    return request


@transaction.atomic
def budget_request_move(*, request: BudgetRequest, status: str, moved_by: User) -> BudgetRequest:
    """Change the status of a request, except to approved.

    Raises:
        ValidationError: the status cannot follow the current one.
    """
    if status == Status.APPROVED:
        raise ValidationError(f"Budget request {request} needs an amount to be approved.")
    return _move(request=request, status=status, moved_by=moved_by, approved_amount=None)


@transaction.atomic
def budget_request_approve(
    *, request: BudgetRequest, approved_amount: Decimal, approved_by: User
) -> BudgetAllocation:
    """Approve a reviewed request and add the amount to the department's allocation.

    Raises:
        ValidationError: the request is not reviewed, or the amount is negative.
    """
    request = _move(
        request=request,
        status=Status.APPROVED,
        moved_by=approved_by,
        approved_amount=approved_amount,
    )
    key = {
        "fiscal_year": request.fiscal_year,
        "budget": request.budget,
        "department": request.department,
    }
    allocation = BudgetAllocation.objects.select_for_update().filter(**key).first()
    if allocation is None:
        allocation = BudgetAllocation(**key, amount=Decimal(0), created_by=approved_by)
    allocation.amount += approved_amount
    allocation.full_clean()
    allocation.save()
    return allocation


def budget_request_comment_create(
    *, request: BudgetRequest, body: str, created_by: User
) -> BudgetRequestComment:
    """Add a comment to a request.

    Raises:
        ValidationError: the comment is empty.
    """
    comment = BudgetRequestComment(request=request, body=body, created_by=created_by)
    comment.full_clean()
    comment.save()
    return comment


def _move(
    *, request: BudgetRequest, status: str, moved_by: User, approved_amount: Decimal | None
) -> BudgetRequest:
    request = BudgetRequest.objects.select_for_update().get(pk=request.pk)
    if status not in NEXT[request.status]:
        raise ValidationError(
            f"The status of budget request {request} cannot change from "
            f'"{request.get_status_display()}" to "{Status(status).label}".'
        )
    request.status = status
    request.approved_amount = approved_amount
    request.updated_by = moved_by
    request.full_clean()
    request.save()
    return request
