"""Moving stock; the database keeps the stock levels from the transactions."""

from __future__ import annotations

from django.db import transaction

from core.models import User
from inventory.exceptions import InsufficientStock
from inventory.models import (
    Department,
    Drug,
    DrugLot,
    Location,
    StockLevel,
    StockTransaction,
)
from inventory.selectors.stock import stock_fefo_list

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
    """Record one movement; ``quantity`` is negative when stock goes out."""
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


def _take_first_expiring(
    *, drug: Drug, location: Location, quantity: int
) -> list[tuple[DrugLot, int]]:
    """Lock the usable lots and choose from them, the first to expire first.

    Raises:
        ValueError: nothing or less than nothing is asked for.
        InsufficientStock: the location does not hold as much.
    """
    if quantity <= 0:
        raise ValueError(f"Ask for at least one unit of {drug}, not for {quantity}.")
    taken = []
    wanted = quantity
    for level in stock_fefo_list(drug=drug, location=location).select_for_update(of=("self",)):
        portion = min(level.quantity, wanted)
        taken.append((level.lot, portion))
        wanted -= portion
        if not wanted:
            return taken
    raise InsufficientStock(
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
    """Issue units of a drug to a department, the first to expire first."""
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
        for lot, portion in _take_first_expiring(drug=drug, location=location, quantity=quantity)
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
    """Move units of a drug to another location, the first to expire first."""
    if source == destination:
        raise ValueError(f"{source} cannot transfer stock to itself.")
    movements = []
    for lot, portion in _take_first_expiring(drug=drug, location=source, quantity=quantity):
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
    """Bring the stock of a lot to what was counted; nothing is recorded when it agrees."""
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
