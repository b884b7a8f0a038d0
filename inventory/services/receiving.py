"""Inspection of deliveries and their posting to stock."""

from __future__ import annotations

import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.models import User
from inventory.models import (
    DrugLot,
    PurchaseOrder,
    PurchaseOrderItem,
    Receipt,
    ReceiptInspector,
    ReceiptItem,
    StockTransaction,
)
from inventory.selectors.packs import pack_ratio_unit_cost, pack_ratio_units

from .stock import stock_transaction_create


@transaction.atomic
def receipt_inspector_sign(
    *, receipt: Receipt, employee_id: int, signed_at: datetime.datetime | None = None
) -> Receipt:
    """Sign a receipt; it becomes inspected when all members of its committee have signed.

    Raises:
        ValidationError: the receipt is posted, or the employee is not on its committee.
    """
    receipt = Receipt.objects.select_for_update().get(pk=receipt.pk)
    if receipt.status == Receipt.Status.POSTED:
        raise ValidationError(f"Receipt {receipt} is posted and can no longer be signed.")
    inspector = receipt.inspectors.filter(employee_id=employee_id).first()
    if inspector is None:
        raise ValidationError(f"Employee {employee_id} is not an inspector of receipt {receipt}.")
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
    """Add the items of an inspected receipt to stock, and update the receipt's order.

    Raises:
        ValidationError: the receipt is not inspected or has no items, or an item belongs to
            another order.
    """
    receipt = Receipt.objects.select_for_update().get(pk=receipt.pk)
    if receipt.status != Receipt.Status.INSPECTED:
        raise ValidationError(
            f'The status of receipt {receipt} is "{receipt.get_status_display()}"; '
            "only inspected receipts can be posted."
        )
    items = list(receipt.items.select_related("order_item__drug", "order_item__pack_ratio"))
    if not items:
        raise ValidationError(f"Receipt {receipt} has no items.")
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
        raise ValidationError(f"Item {item} of receipt {receipt} belongs to another order.")
    ordered.packs_received += item.packs
    ordered.full_clean()
    ordered.save()
    item.lot = drug_lot_get_or_create(item=item, created_by=posted_by)
    item.full_clean()
    item.save()
    stock_transaction_create(
        kind=StockTransaction.Kind.RECEIVE,
        location=receipt.location,
        lot=item.lot,
        quantity=pack_ratio_units(pack_ratio=item.order_item.pack_ratio, packs=item.packs),
        reference=receipt.number,
        created_by=posted_by,
    )


def drug_lot_get_or_create(*, item: ReceiptItem, created_by: User) -> DrugLot:
    """Return the lot of a received item; an existing lot keeps its cost."""
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
            unit_cost=pack_ratio_unit_cost(
                pack_ratio=ordered.pack_ratio, pack_price=ordered.pack_price
            ),
            created_by=created_by,
        )
        lot.full_clean()
        lot.save()
    return lot


def purchase_order_update_status(*, order: PurchaseOrder) -> PurchaseOrder:
    """Set the status of an order to received or partly received, depending on its items."""
    outstanding = order.items.filter(packs_received__lt=F("packs")).exists()
    order.status = PurchaseOrder.Status.PARTIAL if outstanding else PurchaseOrder.Status.RECEIVED
    order.full_clean()
    order.save()
    return order
