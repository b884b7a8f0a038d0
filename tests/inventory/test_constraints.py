"""Constraints of the inventory in the database."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from inventory import models
from tests.inventory.factories import TODAY, Pharmacy, code, make_lot, make_receipt


def drug(pharmacy: Pharmacy, standard_code: str) -> models.Drug:
    return models.Drug(
        standard_code=standard_code,
        generic=pharmacy.generic,
        trade_name="Other",
        manufacturer=pharmacy.vendor,
    )


@pytest.mark.parametrize(
    "standard_code",
    ["1" * 23, "1" * 23 + "A", "1" * 23 + " ", "", "๑" * 24, "1" * 23 + "\n"],
)
def test_a_standard_code_has_24_digits(pharmacy: Pharmacy, standard_code: str) -> None:
    with pytest.raises(ValidationError):
        drug(pharmacy, standard_code).full_clean()
    with pytest.raises(IntegrityError, match="drugs_standard_code_check"), transaction.atomic():
        drug(pharmacy, standard_code).save()


def test_a_standard_code_of_24_digits_is_unique(pharmacy: Pharmacy) -> None:
    number = code()
    drug(pharmacy, number).save()
    with pytest.raises(IntegrityError, match="drugs_standard_code_key"), transaction.atomic():
        drug(pharmacy, number).save()


def test_created_by_must_be_one_of_cores_users(pharmacy: Pharmacy) -> None:
    made = drug(pharmacy, code())
    made.created_by_id = "00000000-0000-0000-0000-000000000000"
    made.save()
    with (
        pytest.raises(IntegrityError, match=r'table "users"'),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    made.delete()


def second_default_pack(pharmacy: Pharmacy) -> None:
    unit = models.DrugUnit.objects.create(code="T-STRIP", name="strip")
    models.PackRatio.objects.create(
        drug=pharmacy.drug, pack_unit=unit, units_per_pack=10, is_default=True
    )


def empty_pack(pharmacy: Pharmacy) -> None:
    models.PackRatio.objects.filter(pk=pharmacy.box.pk).update(units_per_pack=0)


def backward_lot(pharmacy: Pharmacy) -> None:
    make_lot(pharmacy, days=1, manufactured_on=TODAY + datetime.timedelta(days=1))


def repeated_lot(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=1)
    lot.pk = None
    lot.save(force_insert=True)


def movement(pharmacy: Pharmacy, **fields: object) -> None:
    models.StockTransaction.objects.create(
        location=pharmacy.warehouse,
        lot=make_lot(pharmacy, days=1, quantity=10),
        created_by=pharmacy.user,
        **fields,
    )


def inward_issue(pharmacy: Pharmacy) -> None:
    movement(pharmacy, kind="issue", quantity=5, department=pharmacy.ward)


def empty_adjustment(pharmacy: Pharmacy) -> None:
    movement(pharmacy, kind="adjust", quantity=0)


def unknown_movement(pharmacy: Pharmacy) -> None:
    movement(pharmacy, kind="lost", quantity=-1)


def issue_to_nobody(pharmacy: Pharmacy) -> None:
    movement(pharmacy, kind="issue", quantity=-5)


def gregorian_year(pharmacy: Pharmacy) -> None:
    models.BudgetAllocation.objects.filter(pk=pharmacy.allocation.pk).update(fiscal_year=2026)


def negative_allocation(pharmacy: Pharmacy) -> None:
    models.BudgetAllocation.objects.filter(pk=pharmacy.allocation.pk).update(amount=-1)


def second_chair(pharmacy: Pharmacy) -> None:
    make_receipt(pharmacy).inspectors.update(role="chair")


def inspector_twice(pharmacy: Pharmacy) -> None:
    make_receipt(pharmacy).inspectors.create(employee_id=7)


def too_many_packs(pharmacy: Pharmacy) -> None:
    make_receipt(pharmacy)
    models.PurchaseOrderItem.objects.update(packs_received=11)


def nobody_posted(pharmacy: Pharmacy) -> None:
    make_receipt(pharmacy)
    models.Receipt.objects.update(status="posted")


def due_before_ordered(pharmacy: Pharmacy) -> None:
    make_receipt(pharmacy)
    models.PurchaseOrder.objects.update(due_on=TODAY - datetime.timedelta(days=1))


def backward_contract(pharmacy: Pharmacy) -> None:
    models.Contract.objects.create(
        number="C1",
        title="Paracetamol",
        vendor=pharmacy.vendor,
        fiscal_year=2569,
        starts_on=TODAY,
        ends_on=TODAY - datetime.timedelta(days=1),
        total_value=Decimal(1),
        created_by=pharmacy.user,
    )


def own_parent(pharmacy: Pharmacy) -> None:
    models.Location.objects.filter(pk=pharmacy.warehouse.pk).update(parent=pharmacy.warehouse)


def short_tax_id(pharmacy: Pharmacy) -> None:
    models.Company.objects.update(tax_id="0" * 12)


@pytest.mark.parametrize(
    ("write", "constraint"),
    [
        (second_default_pack, "pack_ratios_default_key"),
        (empty_pack, "pack_ratios_units_per_pack_check"),
        (backward_lot, "drug_lots_expires_on_check"),
        (repeated_lot, "drug_lots_drug_lot_expiry_key"),
        (inward_issue, "stock_transactions_quantity_check"),
        (empty_adjustment, "stock_transactions_quantity_check"),
        (unknown_movement, "stock_transactions_quantity_check"),
        (issue_to_nobody, "stock_transactions_department_check"),
        (gregorian_year, "budget_allocations_fiscal_year_check"),
        (negative_allocation, "budget_allocations_amount_check"),
        (second_chair, "receipt_inspectors_chair_key"),
        (inspector_twice, "receipt_inspectors_receipt_employee_key"),
        (too_many_packs, "purchase_order_items_packs_received_check"),
        (nobody_posted, "receipts_posted_check"),
        (due_before_ordered, "purchase_orders_due_on_check"),
        (backward_contract, "contracts_ends_on_check"),
        (own_parent, "locations_parent_check"),
        (short_tax_id, "companies_tax_id_check"),
    ],
)
def test_the_database_refuses(
    pharmacy: Pharmacy, write: Callable[[Pharmacy], None], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
        write(pharmacy)


def test_a_lot_number_may_come_again_with_another_expiry(pharmacy: Pharmacy) -> None:
    lot = make_lot(pharmacy, days=1)
    lot.pk, lot.expires_on = None, TODAY + datetime.timedelta(days=2000)
    lot.save(force_insert=True)
    assert models.DrugLot.objects.filter(lot_number=lot.lot_number).count() == 2


def test_every_constraint_of_the_models_is_in_the_database(rolled_back: None) -> None:
    declared = {
        constraint.name
        for model in apps.get_app_config("inventory").get_models()
        for constraint in model._meta.constraints
    }
    with connection.cursor() as cursor:
        # A unique constraint with a condition is an index.
        cursor.execute(
            "SELECT conname, convalidated FROM pg_constraint"
            " WHERE connamespace = 'inventory'::regnamespace"
            " UNION ALL"
            " SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE relnamespace = 'inventory'::regnamespace"
        )
        valid = dict(cursor.fetchall())
    assert declared <= set(valid)
    assert all(valid.values())
