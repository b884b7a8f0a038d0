"""From a delivery to stock."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.models import User
from inventory.exceptions import InvalidTransition
from inventory.models import (
    DrugLot,
    PurchaseOrder,
    PurchaseOrderItem,
    Receipt,
    ReceiptInspector,
    ReceiptItem,
    StockTransaction,
)
from inventory.selectors.packs import unit_cost, units_from_packs

from .stock import stock_transaction_create


@transaction.atomic
def receipt_inspector_sign(
    *, receipt: Receipt, employee_id: int, signed_at: datetime.datetime | None = None
) -> Receipt:
    """Sign as an inspector; the receipt is inspected once the whole committee has signed.

    Raises:
        InvalidTransition: the receipt is posted, or the employee is not on its committee.
    """
    receipt = Receipt.objects.select_for_update().get(pk=receipt.pk)
    if receipt.status == Receipt.Status.POSTED:
        raise InvalidTransition(f"Receipt {receipt} is posted; its inspection is over.")
    inspector = receipt.inspectors.filter(employee_id=employee_id).first()
    if inspector is None:
        raise InvalidTransition(f"Employee {employee_id} does not inspect receipt {receipt}.")
    inspector.signed_at = signed_at or timezone.now()
    inspector.full_clean()
    inspector.save()
    committee = list(receipt.inspectors.all())
    has_chair = any(member.role == ReceiptInspector.Role.CHAIR for member in committee)
    if has_chair and all(member.signed_at for member in committee):
        receipt.status = Receipt.Status.INSPECTED
        receipt.full_clean()
        receipt.save()
    return receipt


@transaction.atomic
def receipt_post(*, receipt: Receipt, posted_by: User) -> Receipt:
    """Turn an inspected delivery into lots and stock, and bring its order up to date.

    Raises:
        InvalidTransition: the receipt is not inspected, is posted already or has no items, or
            an item is not of the receipt's order.
    """
    receipt = Receipt.objects.select_for_update().get(pk=receipt.pk)
    if receipt.status != Receipt.Status.INSPECTED:
        raise InvalidTransition(
            f"Receipt {receipt} is {receipt.get_status_display().lower()}; "
            "an inspected one can be posted."
        )
    items = list(receipt.items.select_related("order_item__drug", "order_item__pack_ratio"))
    if not items:
        raise InvalidTransition(f"Receipt {receipt} has no items.")
    for item in items:
        _receipt_item_post(receipt=receipt, item=item, posted_by=posted_by)
    receipt.status = Receipt.Status.POSTED
    receipt.posted_at = timezone.now()
    receipt.posted_by = posted_by
    receipt.full_clean()
    receipt.save()
    purchase_order_update_status(order=receipt.order)
    return receipt


def _receipt_item_post(*, receipt: Receipt, item: ReceiptItem, posted_by: User) -> None:
    ordered = PurchaseOrderItem.objects.select_for_update(of=("self",)).get(pk=item.order_item_id)
    if ordered.order_id != receipt.order_id:
        raise InvalidTransition(f"Item {item} of receipt {receipt} is of another order.")
    ordered.packs_received += item.packs
    ordered.full_clean()
    ordered.save()
    item.lot = lot_get_or_create(item=item, created_by=posted_by)
    item.full_clean()
    item.save()
    stock_transaction_create(
        kind=StockTransaction.Kind.RECEIVE,
        location=receipt.location,
        lot=item.lot,
        quantity=units_from_packs(pack_ratio=item.order_item.pack_ratio, packs=item.packs),
        reference=receipt.number,
        created_by=posted_by,
    )


def lot_get_or_create(*, item: ReceiptItem, created_by: User) -> DrugLot:
    """Return the lot of a received item; a lot that is known keeps its first cost."""
    ordered = item.order_item
    key = {
        "drug": ordered.drug,
        "lot_number": item.lot_number,
        "expires_on": item.expires_on,
    }
    lot = DrugLot.objects.filter(**key).first()
    if lot is None:
        lot = DrugLot(
            **key,
            manufactured_on=item.manufactured_on,
            unit_cost=unit_cost(pack_ratio=ordered.pack_ratio, pack_price=ordered.pack_price),
            created_by=created_by,
        )
        lot.full_clean()
        lot.save()
    return lot


def purchase_order_update_status(*, order: PurchaseOrder) -> PurchaseOrder:
    """Mark an order as received, or partly received, from its items."""
    outstanding = order.items.filter(packs_received__lt=F("packs")).exists()
    order.status = PurchaseOrder.Status.PARTIAL if outstanding else PurchaseOrder.Status.RECEIVED
    order.full_clean()
    order.save()
    return order
