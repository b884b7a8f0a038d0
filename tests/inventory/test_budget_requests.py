"""Services for budget requests, and the audit trail that a trigger writes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from inventory.models import BudgetAllocation, BudgetRequest
from inventory.services.budget_requests import (
    budget_request_approve,
    budget_request_comment_create,
    budget_request_create,
    budget_request_move,
)
from inventory.services.purchasing import RequestLine
from tests.inventory.factories import Pharmacy


def make_request(pharmacy: Pharmacy, *, fiscal_year: int = 2570) -> BudgetRequest:
    line = RequestLine(generic=pharmacy.generic, quantity=100, unit_price=Decimal("0.25"))
    return budget_request_create(
        number="BR1",
        fiscal_year=fiscal_year,
        department=pharmacy.ward,
        budget=pharmacy.budget,
        lines=[line],
        created_by=pharmacy.user,
    )


def review(pharmacy: Pharmacy, request: BudgetRequest) -> BudgetRequest:
    request = budget_request_move(request=request, status="submitted", moved_by=pharmacy.user)
    return budget_request_move(request=request, status="reviewed", moved_by=pharmacy.director)


def test_the_database_writes_the_audit_trail(pharmacy: Pharmacy) -> None:
    request = review(pharmacy, make_request(pharmacy))
    trail = request.audit_trail.values_list("old_status", "new_status", "changed_by__username")
    assert list(trail) == [
        ("", "draft", "pharmacist"),
        ("draft", "submitted", "pharmacist"),
        ("submitted", "reviewed", "director"),
    ]


def test_the_audit_trail_includes_changes_without_the_services(pharmacy: Pharmacy) -> None:
    request = make_request(pharmacy)
    BudgetRequest.objects.update(justification="more patients")
    assert request.audit_trail.count() == 1
    BudgetRequest.objects.update(status="submitted", updated_by=pharmacy.director)
    assert request.audit_trail.last().changed_by == pharmacy.director


@pytest.mark.parametrize(("fiscal_year", "amount"), [(2570, "20.00"), (2569, "1020.00")])
def test_approving_gives_the_department_money(
    pharmacy: Pharmacy, fiscal_year: int, amount: str
) -> None:
    request = review(pharmacy, make_request(pharmacy, fiscal_year=fiscal_year))

    budget_request_approve(
        request=request, approved_amount=Decimal(20), approved_by=pharmacy.director
    )

    allocation = BudgetAllocation.objects.get(fiscal_year=fiscal_year)
    assert (allocation.department, allocation.amount) == (pharmacy.ward, Decimal(amount))
    request.refresh_from_db()
    assert (request.status, request.approved_amount) == ("approved", Decimal(20))


def test_steps_cannot_be_skipped(pharmacy: Pharmacy) -> None:
    request = make_request(pharmacy)
    with pytest.raises(ValidationError) as raised:
        budget_request_move(request=request, status="reviewed", moved_by=pharmacy.user)
    assert raised.value.messages == [
        'The status of budget request BR1 cannot change from "Draft" to "Reviewed by the pharmacy".'
    ]


def test_approval_needs_an_amount(pharmacy: Pharmacy) -> None:
    request = review(pharmacy, make_request(pharmacy))
    with pytest.raises(ValidationError, match="Budget request BR1 needs an amount to be approved"):
        budget_request_move(request=request, status="approved", moved_by=pharmacy.director)


def test_an_amount_without_approval_is_refused_by_the_database(pharmacy: Pharmacy) -> None:
    make_request(pharmacy)
    with (
        pytest.raises(IntegrityError, match="budget_requests_approved_amount_check"),
        transaction.atomic(),
    ):
        BudgetRequest.objects.update(approved_amount=5)


def test_comments_must_not_be_empty(pharmacy: Pharmacy) -> None:
    request = make_request(pharmacy)
    budget_request_comment_create(request=request, body="Too much?", created_by=pharmacy.director)
    assert request.comments.get().created_by == pharmacy.director
    with pytest.raises(ValidationError):
        budget_request_comment_create(request=request, body="", created_by=pharmacy.director)
