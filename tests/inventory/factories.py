"""Factories for the inventory's tests."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass
from decimal import Decimal

from core.models import CostCentre, User
from inventory.models import (
    Budget,
    BudgetAllocation,
    BudgetCategory,
    BudgetType,
    Company,
    Department,
    DosageForm,
    Drug,
    DrugGeneric,
    DrugLot,
    DrugUnit,
    Location,
    PackRatio,
    PurchaseOrder,
    PurchaseOrderItem,
    Receipt,
    ReceiptInspector,
    ReceiptItem,
    StockTransaction,
)

_numbers = itertools.count(1)
TODAY = datetime.date.today()


@dataclass(frozen=True)
class Pharmacy:
    """A small hospital pharmacy: two users, one drug in boxes of 100 tablets, some money."""

    user: User
    director: User
    warehouse: Location
    dispensary: Location
    ward: Department
    vendor: Company
    generic: DrugGeneric
    drug: Drug
    box: PackRatio
    budget: Budget
    allocation: BudgetAllocation


def code(digits: int = 24) -> str:
    """Return a unique number with that many digits."""
    return f"{next(_numbers):0{digits}d}"


def make_pharmacy() -> Pharmacy:
    user = User.objects.create_user("pharmacist")
    centre = CostCentre.objects.create(code="T-PHARM")
    tablet = DrugUnit.objects.create(code="T-TAB", name="tablet")
    box = DrugUnit.objects.create(code="T-BOX", name="box")
    form = DosageForm.objects.create(code="T-TAB", name="tablet")
    generic = DrugGeneric.objects.create(
        working_code=code(7),
        name="Paracetamol",
        strength="500 mg",
        dosage_form=form,
        issue_unit=tablet,
        reorder_point=100,
    )
    vendor = Company.objects.create(code="T-GPO", name="GPO", kind=Company.Kind.BOTH)
    drug = Drug.objects.create(
        standard_code=code(), generic=generic, trade_name="Para GPO", manufacturer=vendor
    )
    ward = Department.objects.create(code="T-MED", name="Medicine", cost_centre=centre)
    budget = Budget.objects.create(
        code="T-DRUGS",
        name="Drugs, maintenance fund",
        type=BudgetType.objects.create(code="T-FUND", name="Maintenance fund"),
        category=BudgetCategory.objects.create(code="T-DRUG", name="Drugs"),
    )
    return Pharmacy(
        user=user,
        director=User.objects.create_user("director"),
        warehouse=Location.objects.create(code="T-WH", name="Warehouse"),
        dispensary=Location.objects.create(
            code="T-OPD", name="Dispensary", kind=Location.Kind.PHARMACY
        ),
        ward=ward,
        vendor=vendor,
        generic=generic,
        drug=drug,
        box=PackRatio.objects.create(drug=drug, pack_unit=box, units_per_pack=100, is_default=True),
        budget=budget,
        allocation=BudgetAllocation.objects.create(
            fiscal_year=2569,
            budget=budget,
            department=ward,
            amount=Decimal("1000.00"),
            created_by=user,
        ),
    )


def make_lot(pharmacy: Pharmacy, *, days: int, quantity: int = 0, **fields: object) -> DrugLot:
    """Make a lot that expires in a number of days, received into the warehouse."""
    lot = DrugLot.objects.create(
        drug=pharmacy.drug,
        lot_number=f"LOT{next(_numbers)}",
        expires_on=TODAY + datetime.timedelta(days=days),
        unit_cost=Decimal("0.5"),
        created_by=pharmacy.user,
        **fields,
    )
    if quantity:
        receive(pharmacy, lot, quantity)
    return lot


def receive(pharmacy: Pharmacy, lot: DrugLot, quantity: int) -> StockTransaction:
    return StockTransaction.objects.create(
        kind=StockTransaction.Kind.RECEIVE,
        location=pharmacy.warehouse,
        lot=lot,
        quantity=quantity,
        created_by=pharmacy.user,
    )


def make_receipt(pharmacy: Pharmacy, *, ordered: int = 10, delivered: int = 4) -> Receipt:
    """Make a delivery of boxes for an order, with the employees 7 and 8 as inspectors."""
    order = PurchaseOrder.objects.create(
        number=f"PO{next(_numbers)}",
        vendor=pharmacy.vendor,
        ordered_on=TODAY,
        status=PurchaseOrder.Status.SENT,
        total_amount=Decimal(500),
        created_by=pharmacy.user,
    )
    item = PurchaseOrderItem.objects.create(
        order=order,
        drug=pharmacy.drug,
        pack_ratio=pharmacy.box,
        packs=ordered,
        pack_price=Decimal(50),
    )
    receipt = Receipt.objects.create(
        number=f"RC{next(_numbers)}",
        order=order,
        location=pharmacy.warehouse,
        received_on=TODAY,
        created_by=pharmacy.user,
    )
    ReceiptItem.objects.create(
        receipt=receipt,
        order_item=item,
        lot_number="A1",
        expires_on=TODAY + datetime.timedelta(days=700),
        packs=delivered,
    )
    ReceiptInspector.objects.create(
        receipt=receipt, employee_id=7, role=ReceiptInspector.Role.CHAIR
    )
    ReceiptInspector.objects.create(receipt=receipt, employee_id=8)
    return receipt
