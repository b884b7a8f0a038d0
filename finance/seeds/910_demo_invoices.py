"""Demo invoices and payments, written by the services so that the books balance."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from finance.services import (
    InvoiceItem,
    invoice_approve,
    invoice_cancel,
    invoice_create,
    invoice_pay,
)

tags = ["demo"]
writes_core = True

# Rows of inventory, by the ids that its demo seeds get in empty tables.
GPO, BERLIN, UTOPIAN = 1, 6, 8
ORDERS = {GPO: 1, BERLIN: 2, UTOPIAN: 3}

# supplier, reference, issued on, due on, status, amount paid, items: description, quantity,
# unit price
INVOICES = (
    (
        GPO,
        "GPO-6910-0451",
        "2026-10-19",
        "2026-11-18",
        "paid",
        "99500.00",
        (
            ("Paracetamol 500 mg, 1000 tablets (ยาพาราเซตามอล)", 100, "320.00"),
            ("Metformin 500 mg, 500 tablets (ยาเมทฟอร์มิน)", 300, "225.00"),
        ),
    ),
    (
        BERLIN,
        "BL-2570-11-093",
        "2026-11-11",
        "2026-12-11",
        "approved",
        "10000.00",
        (("Amlodipine 5 mg, 500 tablets (ยาแอมโลดิปีน)", 120, "190.00"),),
    ),
    (
        UTOPIAN,
        "UT-10044",
        "2026-11-20",
        "2026-12-20",
        "draft",
        None,
        (("Ceftriaxone 1 g, 10 vials (ยาเซฟไตรอะโซน)", 200, "185.00"),),
    ),
    (
        UTOPIAN,
        "UT-10044-A",
        "2026-11-20",
        "2026-12-20",
        "cancelled",
        None,
        (("Entered twice (บันทึกซ้ำ)", 200, "185.00"),),
    ),
)
# Without a password, nobody can sign in as this user.
ACCOUNTANT = {
    "username": "demo-accountant",
    "password": "!",
    "first_name": "Demo",
    "last_name": "Accountant",
}


def seed(context: Any) -> None:
    invoices = context.get_model("Invoice")
    if invoices.objects.filter(supplier_reference=INVOICES[0][1]).exists():
        return
    context.upsert("core.User", [ACCOUNTANT])
    context.upsert("core.CostCentre", [PHARMACY])
    author = context.get_model("core.User").objects.only("pk").get(username="demo-accountant")
    pharmacy = context.get_model("core.CostCentre").objects.get(code="PHARM")
    accounts = context.get_model("Account").objects.in_bulk(
        ["1120", "1180", "2110"], field_name="code"
    )
    for supplier, reference, issued, due, status, paid, lines in INVOICES:
        issued_on = datetime.date.fromisoformat(issued)
        invoice = invoice_create(
            supplier_id=supplier,
            supplier_reference=reference,
            purchase_order_id=ORDERS[supplier],
            cost_centre_id=pharmacy.pk,
            issued_on=issued_on,
            due_on=datetime.date.fromisoformat(due),
            items=[
                InvoiceItem(
                    description=what,
                    account=accounts["1180"],
                    quantity=Decimal(units),
                    unit_price=Decimal(price),
                )
                for what, units, price in lines
            ],
            created_by=author,
        )
        if status == "cancelled":
            invoice_cancel(invoice=invoice)
        elif status != "draft":
            invoice_approve(
                invoice=invoice,
                payable=accounts["2110"],
                approved_on=issued_on + datetime.timedelta(days=1),
                approved_by=author,
            )
        if paid:
            invoice_pay(
                invoice=invoice,
                amount=Decimal(paid),
                paid_on=issued_on + datetime.timedelta(days=7),
                reference=f"PV-2570-{invoice.pk:04}",
                payable=accounts["2110"],
                bank=accounts["1120"],
                paid_by=author,
            )


PHARMACY = {"code": "PHARM", "name_en": "Pharmacy", "name_th": "กลุ่มงานเภสัชกรรม"}
