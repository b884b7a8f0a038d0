"""Demo receipts, transfers and a count, written by the services so that orders and stock agree."""

from __future__ import annotations

import datetime
from typing import Any

from inventory.services.receiving import receipt_inspector_sign, receipt_post
from inventory.services.stock import stock_count, stock_transfer

tags = ["demo"]

# Rows of other domains, by the ids that their demo seeds get in empty tables.
CHAIR, MEMBER = 1, 3
INVOICES = {"RC-2570-0001": 1, "RC-2570-0002": 2}

PARACETAMOL, AMOXICILLIN, METFORMIN = (f"{number:024}" for number in (1, 3, 5))
AMLODIPINE, CEFTRIAXONE = (f"{number:024}" for number in (6, 10))

# number, order, received on, delivery note, status, items: drug, lot, days until expiry, packs
RECEIPTS = (
    (
        "RC-2570-0001",
        "PO-2570-0001",
        "2026-10-19",
        "GPO 69-88120",
        "posted",
        ((PARACETAMOL, "P26101", 900, 100), (METFORMIN, "M26077", 820, 300)),
    ),
    (
        "RC-2570-0002",
        "PO-2570-0002",
        "2026-11-11",
        "BL 2570/1193",
        "posted",
        ((AMLODIPINE, "AM2611", 700, 120),),
    ),
    (
        "RC-2570-0003",
        "PO-2570-0003",
        "2026-11-20",
        "UT 10044",
        "draft",
        ((CEFTRIAXONE, "CX889", 540, 200),),
    ),
)

# drug, destination, units
TRANSFERS = ((PARACETAMOL, "OPD", 6_000), (AMOXICILLIN, "OPD", 2_000), (AMLODIPINE, "IPD", 3_000))


def seed(context: Any) -> None:
    if context.get_model("Receipt").objects.filter(number=RECEIPTS[0][0]).exists():
        return
    author = context.get_model("core.User").objects.only("pk").get(username="demo")
    for row in RECEIPTS:
        receipt(context, row, author)
    transfers(context, author)


def receipt(context: Any, row: Any, author: Any) -> None:
    number, ordered, received_on, note, status, items = row
    of = context.get_model("PurchaseOrder").objects.get(number=ordered)
    made = context.get_model("Receipt").objects.create(
        number=number,
        order=of,
        location=location(context, "WH"),
        received_on=datetime.date.fromisoformat(received_on),
        delivery_note=note,
        finance_invoice_id=INVOICES.get(number),
        created_by=author,
    )
    today = datetime.date.today()
    for drug, lot, days, count in items:
        made.items.create(
            order_item=of.items.get(drug__standard_code=drug),
            lot_number=lot,
            manufactured_on=datetime.date(2026, 8, 3),
            expires_on=today + datetime.timedelta(days=days),
            packs=count,
        )
    for employee, role in ((CHAIR, "chair"), (MEMBER, "member")):
        made.inspectors.create(employee_id=employee, role=role)
        if status == "posted":
            receipt_inspector_sign(receipt=made, employee_id=employee)
    if status == "posted":
        receipt_post(receipt=made, posted_by=author)


def transfers(context: Any, author: Any) -> None:
    warehouse = location(context, "WH")
    drugs = context.get_model("Drug").objects.in_bulk(field_name="standard_code")
    for drug, to, quantity in TRANSFERS:
        stock_transfer(
            drug=drugs[drug],
            source=warehouse,
            destination=location(context, to),
            quantity=quantity,
            transferred_by=author,
            reference="DEMO",
        )
    stock_count(
        location=warehouse,
        lot=context.get_model("DrugLot").objects.get(lot_number="DEMO010"),
        counted=796,
        counted_by=author,
        note="Four bottles were broken (ขวดแตก 4 ขวด)",
    )


def location(context: Any, code: str) -> Any:
    return context.get_model("Location").objects.get(code=code)
