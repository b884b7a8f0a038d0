"""Stock transactions; a trigger derives the stock levels from them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from core.models import User
from inventory.models import (
    Department,
    Drug,
    DrugLot,
    Location,
    StockLevel,
    StockTransaction,
)
from inventory.selectors.stock import stock_usable_list

Kind = StockTransaction.Kind


def stock_transaction_create(
    *,
    kind: str,
    location: Location,
    lot: DrugLot,
    quantity: int,
    created_by: User,
    department: Department | None = None,
    reference: str = "",
    note: str = "",
) -> StockTransaction:
    """Record a movement of stock; the quantity is negative when stock leaves the location."""
    movement = StockTransaction(
        kind=kind,
        location=location,
        lot=lot,
        quantity=quantity,
        department=department,
        reference=reference,
        note=note,
        created_by=created_by,
    )
    movement.full_clean()
    movement.save()
    return movement


def _allocate(*, drug: Drug, location: Location, quantity: int) -> list[tuple[DrugLot, int]]:
    """Lock the usable lots and choose quantities from them, the earliest expiry first.

    Raises:
        ValidationError: the quantity is not positive or exceeds the usable stock.
    """
    if quantity <= 0:
        raise ValidationError(f"The quantity of {drug} must be at least one unit, not {quantity}.")
    allocated = []
    wanted = quantity
    for level in stock_usable_list(drug=drug, location=location).select_for_update(of=("self",)):
        portion = min(level.quantity, wanted)
        allocated.append((level.lot, portion))
        wanted -= portion
        if not wanted:
            return allocated
    raise ValidationError(
        f"{location} has {quantity - wanted} usable units of {drug}, not {quantity}."
    )


@transaction.atomic
def stock_issue(
    *,
    drug: Drug,
    location: Location,
    department: Department,
    quantity: int,
    issued_by: User,
    reference: str = "",
) -> list[StockTransaction]:
    """Issue units of a drug to a department, from the lots with the earliest expiry.

    Raises:
        ValidationError: the quantity is not positive or exceeds the usable stock.
    """
    return [
        stock_transaction_create(
            kind=Kind.ISSUE,
            location=location,
            lot=lot,
            quantity=-portion,
            department=department,
            reference=reference,
            created_by=issued_by,
        )
        for lot, portion in _allocate(drug=drug, location=location, quantity=quantity)
    ]


@transaction.atomic
def stock_transfer(
    *,
    drug: Drug,
    source: Location,
    destination: Location,
    quantity: int,
    transferred_by: User,
    reference: str = "",
) -> list[StockTransaction]:
    """Transfer units of a drug to another location, from the lots with the earliest expiry.

    Raises:
        ValidationError: the quantity is not positive or exceeds the usable stock, or source and
            destination are the same.
    """
    if source == destination:
        raise ValidationError(f"{source} cannot transfer stock to itself.")
    movements = []
    for lot, portion in _allocate(drug=drug, location=source, quantity=quantity):
        for kind, location, change in (
            (Kind.TRANSFER_OUT, source, -portion),
            (Kind.TRANSFER_IN, destination, portion),
        ):
            movement = stock_transaction_create(
                kind=kind,
                location=location,
                lot=lot,
                quantity=change,
                reference=reference,
                created_by=transferred_by,
            )
            movements.append(movement)
    return movements


@transaction.atomic
def stock_count(
    *, location: Location, lot: DrugLot, counted: int, counted_by: User, note: str = ""
) -> StockTransaction | None:
    """Adjust the stock of a lot to a count; return None if there is no difference."""
    level = StockLevel.objects.select_for_update().filter(location=location, lot=lot).first()
    difference = counted - (level.quantity if level else 0)
    if not difference:
        return None
    return stock_transaction_create(
        kind=Kind.ADJUST,
        location=location,
        lot=lot,
        quantity=difference,
        note=note,
        created_by=counted_by,
    )
