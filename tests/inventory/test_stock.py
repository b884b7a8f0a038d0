"""Services and selectors for stock, and the levels that the trigger maintains."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from inventory.models import StockLevel, StockOnHand, StockTransaction
from inventory.selectors.stock import (
    drug_generic_low_list,
    stock_expiring_list,
    stock_on_hand_list,
    stock_usable_list,
    stock_usable_quantity,
)
from inventory.services.stock import stock_count, stock_issue, stock_transfer
from tests.inventory.factories import TODAY, Pharmacy, make_lot, receive


def levels(pharmacy: Pharmacy) -> dict[tuple[str, str], int]:
    """Return the quantity of each lot at each location, read from the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place.code, lot.lot_number, level.quantity"
            " FROM inventory.stock_levels AS level"
            " JOIN inventory.locations AS place ON place.id = level.location_id"
            " JOIN inventory.drug_lots AS lot ON lot.id = level.lot_id"
            " WHERE lot.drug_id = %s",
            [pharmacy.drug.pk],
        )
        return {(place, lot): quantity for place, lot, quantity in cursor.fetchall()}


def issue(pharmacy: Pharmacy, quantity: int) -> list[StockTransaction]:
    return stock_issue(
        drug=pharmacy.drug,
        location=pharmacy.warehouse,
        department=pharmacy.ward,
        quantity=quantity,
        issued_by=pharmacy.user,
        reference="RX1",
    )


def test_issue_uses_the_first_lot_to_expire(pharmacy: Pharmacy) -> None:
    late = make_lot(pharmacy, days=300, quantity=50)
    soon = make_lot(pharmacy, days=30, quantity=20)

    movements = issue(pharmacy, 25)

    assert [(movement.lot, movement.quantity) for movement in movements] == [
        (soon, -20),
        (late, -5),
    ]
    assert levels(pharmacy) == {("T-WH", late.lot_number): 45, ("T-WH", soon.lot_number): 0}
    stored = StockTransaction.objects.filter(kind="issue").values_list(
        "department__code", "created_by__username", "reference"
    )
    assert set(stored) == {("T-MED", "pharmacist", "RX1")}


def test_issue_leaves_expired_and_quarantined_lots(pharmacy: Pharmacy) -> None:
    make_lot(pharmacy, days=-1, quantity=50)
    make_lot(pharmacy, days=30, quantity=50, is_quarantined=True)
    today = make_lot(pharmacy, days=0, quantity=5)

    assert [movement.lot for movement in issue(pharmacy, 5)] == [today]


def test_issue_of_more_than_the_stock_writes_nothing(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=30, quantity=20)

    with pytest.raises(ValidationError) as raised:
        issue(pharmacy, 21)

    assert raised.value.messages == ["T-WH Warehouse has 20 usable units of Para GPO, not 21."]
    assert levels(pharmacy) == {("T-WH", lot.lot_number): 20}
    assert not StockTransaction.objects.filter(kind="issue").exists()


def test_issue_of_nothing_is_refused(pharmacy: Pharmacy) -> None:
    with pytest.raises(
        ValidationError, match="The quantity of Para GPO must be at least one unit, not 0"
    ):
        issue(pharmacy, 0)


def test_issue_locks_the_levels_it_changes(pharmacy: Pharmacy) -> None:
    make_lot(pharmacy, days=30, quantity=20)
    issue(pharmacy, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relation::regclass::text FROM pg_locks"
            " WHERE pid = pg_backend_pid() AND mode = 'RowShareLock'"
            " AND relation = 'inventory.stock_levels'::regclass"
        )
        assert cursor.fetchall() == [("inventory.stock_levels",)]


def test_transfer_moves_a_lot_to_another_location(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=30, quantity=20)

    stock_transfer(
        drug=pharmacy.drug,
        source=pharmacy.warehouse,
        destination=pharmacy.dispensary,
        quantity=8,
        transferred_by=pharmacy.user,
    )

    assert levels(pharmacy) == {("T-WH", lot.lot_number): 12, ("T-OPD", lot.lot_number): 8}
    kinds = StockTransaction.objects.filter(lot=lot).order_by("pk").values_list("kind", "quantity")
    assert list(kinds) == [("receive", 20), ("transfer_out", -8), ("transfer_in", 8)]


def test_transfer_to_the_same_location_is_refused(pharmacy: Pharmacy) -> None:
    with pytest.raises(ValidationError, match="T-WH Warehouse cannot transfer stock to itself"):
        stock_transfer(
            drug=pharmacy.drug,
            source=pharmacy.warehouse,
            destination=pharmacy.warehouse,
            quantity=1,
            transferred_by=pharmacy.user,
        )


@pytest.mark.parametrize(("counted", "difference"), [(17, -3), (21, 1)])
def test_count_records_the_difference(pharmacy: Pharmacy, counted: int, difference: int) -> None:
    lot = make_lot(pharmacy, days=30, quantity=20)

    movement = stock_count(
        location=pharmacy.warehouse, lot=lot, counted=counted, counted_by=pharmacy.user
    )

    assert movement is not None
    assert (movement.kind, movement.quantity) == ("adjust", difference)
    assert levels(pharmacy) == {("T-WH", lot.lot_number): counted}


def test_count_that_agrees_records_nothing(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=30, quantity=20)
    count = stock_count(location=pharmacy.warehouse, lot=lot, counted=20, counted_by=pharmacy.user)
    assert count is None
    assert StockTransaction.objects.filter(lot=lot).count() == 1


def test_trigger_follows_changed_and_deleted_movements(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=30)
    first, second = receive(pharmacy, lot, 20), receive(pharmacy, lot, 5)

    StockTransaction.objects.filter(pk=first.pk).update(quantity=30)
    assert levels(pharmacy) == {("T-WH", lot.lot_number): 35}
    StockTransaction.objects.filter(pk=second.pk).update(location=pharmacy.dispensary)
    assert levels(pharmacy) == {("T-WH", lot.lot_number): 30, ("T-OPD", lot.lot_number): 5}
    StockTransaction.objects.filter(pk=second.pk).delete()
    assert levels(pharmacy) == {("T-WH", lot.lot_number): 30, ("T-OPD", lot.lot_number): 0}


def test_trigger_refuses_to_go_below_nothing(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=30, quantity=3)
    for location in (pharmacy.warehouse, pharmacy.dispensary):
        with (
            pytest.raises(IntegrityError, match="stock_levels_quantity_check"),
            transaction.atomic(),
        ):
            StockTransaction.objects.create(
                kind="write_off",
                location=location,
                lot=lot,
                quantity=-4,
                created_by=pharmacy.user,
            )
    assert levels(pharmacy) == {("T-WH", lot.lot_number): 3}


def test_view_adds_up_the_lots_of_a_drug(pharmacy: Pharmacy) -> None:
    make_lot(pharmacy, days=-5, quantity=7)
    make_lot(pharmacy, days=30, quantity=20, is_quarantined=True)
    make_lot(pharmacy, days=90, quantity=100)
    make_lot(pharmacy, days=90)

    row = stock_on_hand_list(location=pharmacy.warehouse).get()

    assert (row.drug, row.location) == (pharmacy.drug, pharmacy.warehouse)
    assert (row.quantity, row.usable, row.lots) == (127, 100, 3)
    assert row.next_expiry == TODAY - datetime.timedelta(days=5)
    assert row.value == Decimal("63.5")
    assert not StockOnHand.objects.filter(location=pharmacy.dispensary).exists()


def test_selectors_find_expiring_and_low_stock(pharmacy: Pharmacy) -> None:
    soon = make_lot(pharmacy, days=20, quantity=60)
    late = make_lot(pharmacy, days=200, quantity=39)

    expiring = stock_expiring_list(within=datetime.timedelta(days=30))
    assert [level.lot for level in expiring] == [soon]
    assert [
        level.lot for level in stock_usable_list(drug=pharmacy.drug, location=pharmacy.warehouse)
    ] == [soon, late]
    assert stock_usable_quantity(drug=pharmacy.drug, location=pharmacy.warehouse) == 99
    assert [generic.held for generic in drug_generic_low_list()] == [99]
    receive(pharmacy, late, 1)
    assert not drug_generic_low_list().exists()


def test_levels_are_unique_for_a_location_and_lot(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=20, quantity=60)
    with pytest.raises(IntegrityError, match="stock_levels_location_lot_key"), transaction.atomic():
        StockLevel.objects.create(location=pharmacy.warehouse, lot=lot, quantity=1)
