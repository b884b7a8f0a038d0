"""Services for receipts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from inventory.models import DrugLot, Receipt, ReceiptInspector, ReceiptItem, StockLevel
from inventory.services.receiving import receipt_inspector_sign, receipt_post
from tests.inventory.factories import Pharmacy, make_receipt


def inspect(receipt: Receipt) -> Receipt:
    for employee in (7, 8):
        receipt = receipt_inspector_sign(receipt=receipt, employee_id=employee)
    return receipt


def test_posting_makes_a_lot_and_stock(pharmacy: Pharmacy) -> None:
    receipt = receipt_post(
        receipt=inspect(make_receipt(pharmacy, ordered=10, delivered=4)), posted_by=pharmacy.user
    )

    lot = DrugLot.objects.get(drug=pharmacy.drug)
    assert (lot.lot_number, lot.unit_cost) == ("A1", Decimal("0.5"))
    level = StockLevel.objects.get()
    assert (level.location, level.lot, level.quantity) == (pharmacy.warehouse, lot, 400)
    receipt.refresh_from_db()
    assert (receipt.status, receipt.posted_by) == ("posted", pharmacy.user)
    assert receipt.items.get().lot == lot
    assert lot.transactions.get().reference == receipt.number
    assert receipt.order.items.get().packs_received == 4
    assert receipt.order.status == "partial"


def test_posting_all_that_was_ordered_completes_the_order(pharmacy: Pharmacy) -> None:
    receipt = inspect(make_receipt(pharmacy, ordered=4, delivered=4))
    assert receipt_post(receipt=receipt, posted_by=pharmacy.user).order.status == "received"


def test_a_lot_that_is_known_is_used_again(pharmacy: Pharmacy) -> None:
    for _ in range(2):
        receipt_post(receipt=inspect(make_receipt(pharmacy)), posted_by=pharmacy.user)
    assert DrugLot.objects.count() == 1
    assert StockLevel.objects.get().quantity == 800


def test_posting_twice_is_refused(pharmacy: Pharmacy) -> None:
    receipt = receipt_post(receipt=inspect(make_receipt(pharmacy)), posted_by=pharmacy.user)
    with pytest.raises(ValidationError) as raised:
        receipt_post(receipt=receipt, posted_by=pharmacy.user)
    expected = (
        f'The status of receipt {receipt} is "Posted to stock"; '
        "only inspected receipts can be posted."
    )
    assert raised.value.messages == [expected]
    assert StockLevel.objects.get().quantity == 400


def test_posting_waits_for_the_whole_committee(pharmacy: Pharmacy) -> None:
    receipt = make_receipt(pharmacy)
    assert receipt_inspector_sign(receipt=receipt, employee_id=8).status == "draft"
    with pytest.raises(ValidationError, match='"Draft"; only inspected receipts'):
        receipt_post(receipt=receipt, posted_by=pharmacy.user)
    assert receipt_inspector_sign(receipt=receipt, employee_id=7).status == "inspected"


def test_a_committee_without_a_chair_inspects_nothing(pharmacy: Pharmacy) -> None:
    receipt = make_receipt(pharmacy)
    ReceiptInspector.objects.filter(role="chair").delete()
    assert receipt_inspector_sign(receipt=receipt, employee_id=8).status == "draft"


def test_a_stranger_cannot_sign(pharmacy: Pharmacy) -> None:
    receipt = make_receipt(pharmacy)
    with pytest.raises(
        ValidationError, match=f"Employee 9 is not an inspector of receipt {receipt}"
    ):
        receipt_inspector_sign(receipt=receipt, employee_id=9)


def test_an_item_of_another_order_is_refused(pharmacy: Pharmacy) -> None:
    receipt, other = inspect(make_receipt(pharmacy)), make_receipt(pharmacy)
    ReceiptItem.objects.filter(receipt=receipt).update(order_item=other.order.items.get())
    with pytest.raises(ValidationError, match="belongs to another order"):
        receipt_post(receipt=receipt, posted_by=pharmacy.user)
    assert not StockLevel.objects.exists()


def test_a_receipt_without_items_is_refused(pharmacy: Pharmacy) -> None:
    receipt = inspect(make_receipt(pharmacy))
    receipt.items.all().delete()
    with pytest.raises(ValidationError, match=f"Receipt {receipt} has no items"):
        receipt_post(receipt=receipt, posted_by=pharmacy.user)
