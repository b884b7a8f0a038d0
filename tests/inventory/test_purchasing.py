"""Services for purchase requests, reservations and orders."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from inventory.models import BudgetReservation, Company, PurchaseOrder, PurchaseRequest
from inventory.selectors.budget import budget_allocation_available
from inventory.services.budget import budget_reservation_create, budget_reservation_release
from inventory.services.purchasing import (
    OrderLine,
    RequestLine,
    purchase_order_create,
    purchase_request_approve,
    purchase_request_create,
    purchase_request_reject,
    purchase_request_submit,
)
from tests.inventory.factories import TODAY, Pharmacy


def draft(pharmacy: Pharmacy, *, number: str = "PR1", quantity: int = 1000) -> PurchaseRequest:
    line = RequestLine(generic=pharmacy.generic, quantity=quantity, unit_price=Decimal("0.5"))
    return purchase_request_create(
        number=number, allocation=pharmacy.allocation, lines=[line], created_by=pharmacy.user
    )


def submitted(pharmacy: Pharmacy, **fields: object) -> PurchaseRequest:
    return purchase_request_submit(request=draft(pharmacy, **fields), submitted_by=pharmacy.user)


def order(
    pharmacy: Pharmacy, request: PurchaseRequest, *, number: str = "PO1", packs: int = 10
) -> PurchaseOrder:
    return purchase_order_create(
        number=number,
        request=request,
        vendor=pharmacy.vendor,
        lines=[OrderLine(pack_ratio=pharmacy.box, packs=packs, pack_price=Decimal(50))],
        ordered_on=TODAY,
        created_by=pharmacy.user,
    )


def test_a_request_takes_department_and_year_from_its_allocation(pharmacy: Pharmacy) -> None:
    request = draft(pharmacy)
    request.refresh_from_db()
    assert (request.department, request.fiscal_year) == (pharmacy.ward, 2569)
    assert (request.created_by, request.status) == (pharmacy.user, "draft")
    assert request.items.get().amount == Decimal(500)


def test_submitting_reserves_the_money(pharmacy: Pharmacy) -> None:
    request = submitted(pharmacy)
    reservation = BudgetReservation.objects.get()
    assert (reservation.request, reservation.amount, reservation.status) == (
        request,
        Decimal(500),
        "active",
    )
    assert budget_allocation_available(allocation=pharmacy.allocation) == Decimal(500)


def test_submitting_without_money_changes_nothing(pharmacy: Pharmacy) -> None:
    submitted(pharmacy)
    second = draft(pharmacy, number="PR2", quantity=1001)

    with pytest.raises(ValidationError) as raised:
        purchase_request_submit(request=second, submitted_by=pharmacy.user)

    message = "Purchase request PR2 costs 500.50 baht; 500.00 baht are left."
    assert raised.value.messages == [message]
    second.refresh_from_db()
    assert second.status == "draft"
    assert not second.reservations.exists()


def test_a_request_reserves_once(pharmacy: Pharmacy) -> None:
    with pytest.raises(ValidationError, match="The request has a reservation already"):
        budget_reservation_create(request=submitted(pharmacy), created_by=pharmacy.user)


def test_a_request_for_nothing_reserves_nothing(pharmacy: Pharmacy) -> None:
    request = purchase_request_create(
        number="PR0", allocation=pharmacy.allocation, lines=[], created_by=pharmacy.user
    )
    with pytest.raises(ValidationError, match="PR0 costs nothing"):
        purchase_request_submit(request=request, submitted_by=pharmacy.user)


def test_releasing_gives_the_money_back_once(pharmacy: Pharmacy) -> None:
    request = submitted(pharmacy)
    budget_reservation_release(request=request)
    assert budget_allocation_available(allocation=pharmacy.allocation) == Decimal(1000)
    with pytest.raises(ValidationError, match="Purchase request PR1 has no reservation"):
        budget_reservation_release(request=request)
    assert budget_reservation_create(request=request, created_by=pharmacy.user).status == "active"


def test_approving_names_who_decided(pharmacy: Pharmacy) -> None:
    request = purchase_request_approve(request=submitted(pharmacy), approved_by=pharmacy.director)
    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("approved", pharmacy.director)
    assert request.decided_at is not None


def test_an_author_cannot_approve(pharmacy: Pharmacy) -> None:
    with pytest.raises(ValidationError, match="PR1 cannot be decided by its author"):
        purchase_request_approve(request=submitted(pharmacy), approved_by=pharmacy.user)


def test_a_draft_cannot_be_approved(pharmacy: Pharmacy) -> None:
    with pytest.raises(ValidationError, match='PR1 is "Draft", not "Submitted"'):
        purchase_request_approve(request=draft(pharmacy), approved_by=pharmacy.director)


def test_rejecting_releases_the_money(pharmacy: Pharmacy) -> None:
    request = purchase_request_reject(request=submitted(pharmacy), rejected_by=pharmacy.director)
    assert request.status == "rejected"
    assert BudgetReservation.objects.get().status == "released"


def test_ordering_commits_the_money(pharmacy: Pharmacy) -> None:
    request = purchase_request_approve(request=submitted(pharmacy), approved_by=pharmacy.director)

    placed = order(pharmacy, request)

    placed.refresh_from_db()
    assert (placed.status, placed.total_amount) == ("sent", Decimal(500))
    assert placed.items.get().drug == pharmacy.drug
    assert BudgetReservation.objects.get().status == "committed"
    request.refresh_from_db()
    assert request.status == "ordered"


def test_orders_cannot_cost_more_than_is_reserved(pharmacy: Pharmacy) -> None:
    request = purchase_request_approve(request=submitted(pharmacy), approved_by=pharmacy.director)
    order(pharmacy, request, packs=6)
    with pytest.raises(ValidationError) as raised:
        order(pharmacy, request, number="PO2", packs=5)
    assert raised.value.messages == [
        "The orders of purchase request PR1 would cost 550.00 baht; 500.00 baht are reserved."
    ]
    assert list(request.orders.values_list("number", flat=True)) == ["PO1"]
    order(pharmacy, request, number="PO2", packs=4)


def test_a_manufacturer_cannot_receive_orders(pharmacy: Pharmacy) -> None:
    request = purchase_request_approve(request=submitted(pharmacy), approved_by=pharmacy.director)
    pharmacy.vendor.kind = Company.Kind.MANUFACTURER
    with pytest.raises(ValidationError, match="GPO is not a vendor"):
        order(pharmacy, request)
