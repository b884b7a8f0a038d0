"""Demo contracts, requests and orders, written by the services so that budgets agree."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from inventory.services.purchasing import (
    OrderLine,
    RequestLine,
    purchase_order_create,
    purchase_request_approve,
    purchase_request_create,
    purchase_request_reject,
    purchase_request_submit,
)

tags = ["demo"]
writes_core = True

PARACETAMOL, METFORMIN = (f"{number:024}" for number in (1, 5))
AMLODIPINE, CEFTRIAXONE, SALINE = (f"{number:024}" for number in (6, 10, 12))

# number, title, vendor, status, first day, last day, items: drug, packs, price per pack
CONTRACTS = (
    (
        "C-2570-001",
        "Joint purchase of drugs for chronic diseases (จัดซื้อยาโรคเรื้อรังร่วมระดับเขต)",
        "BERLIN",
        "active",
        "2026-10-01",
        "2027-09-30",
        ((AMLODIPINE, 400, "190.00"),),
    ),
    (
        "C-2570-002",
        "Injections for inpatients (ยาฉีดสำหรับผู้ป่วยใน)",
        "UTOPIAN",
        "draft",
        "2026-12-01",
        "2027-11-30",
        ((CEFTRIAXONE, 600, "182.00"), (SALINE, 300, "288.00")),
    ),
    (
        "C-2569-014",
        "Joint purchase of infusions (จัดซื้อสารละลายทางหลอดเลือดดำร่วม)",
        "THAIOTSUKA",
        "closed",
        "2025-10-01",
        "2026-09-30",
        ((SALINE, 1200, "285.00"),),
    ),
)

# number, status, reason, needed by, items: generic, units, price per unit
REQUESTS = (
    (
        "PR-2570-0001",
        "ordered",
        "First quarter's stock (สำรองยาไตรมาสที่ 1)",
        "2026-10-31",
        (("1000001", 100_000, "0.32"), ("1000005", 150_000, "0.45")),
    ),
    (
        "PR-2570-0002",
        "ordered",
        "Blood pressure clinic (คลินิกความดันโลหิตสูง)",
        "2026-11-15",
        (("1000006", 100_000, "0.38"),),
    ),
    (
        "PR-2570-0003",
        "ordered",
        "Below the reorder point (ต่ำกว่าจุดสั่งซื้อ)",
        "2026-11-30",
        (("1000010", 2_000, "18.50"),),
    ),
    (
        "PR-2570-0004",
        "approved",
        "Antibiotics for outpatients (ยาปฏิชีวนะผู้ป่วยนอก)",
        "2026-12-15",
        (("1000003", 60_000, "1.15"),),
    ),
    (
        "PR-2570-0005",
        "submitted",
        "Lot expires soon (ยาใกล้หมดอายุ)",
        "2026-12-31",
        (("1000009", 500, "95.00"),),
    ),
    (
        "PR-2570-0006",
        "rejected",
        "More expensive than the drugs on the list (ราคาสูงกว่ายาในบัญชี)",
        "2026-12-31",
        (("1000004", 8_000, "14.00"),),
    ),
    (
        "PR-2570-0007",
        "draft",
        "Eye clinic (คลินิกตา)",
        "2027-01-15",
        (("1000014", 600, "12.50"), ("1000013", 120, "70.00")),
    ),
)

# number, request, vendor, contract, ordered on, due on, items: drug, packs, price per pack
ORDERS = (
    (
        "PO-2570-0001",
        "PR-2570-0001",
        "GPO",
        None,
        "2026-10-06",
        "2026-10-20",
        ((PARACETAMOL, 100, "320.00"), (METFORMIN, 300, "225.00")),
    ),
    (
        "PO-2570-0002",
        "PR-2570-0002",
        "BERLIN",
        "C-2570-001",
        "2026-10-19",
        "2026-11-13",
        ((AMLODIPINE, 200, "190.00"),),
    ),
    (
        "PO-2570-0003",
        "PR-2570-0003",
        "UTOPIAN",
        None,
        "2026-11-02",
        "2026-11-23",
        ((CEFTRIAXONE, 200, "185.00"),),
    ),
)


def seed(context: Any) -> None:
    requests = context.get_model("PurchaseRequest")
    if requests.objects.filter(number=REQUESTS[0][0]).exists():
        return
    context.upsert("core.User", [DIRECTOR])
    users = context.get_model("core.User").objects.only("pk")
    author, director = users.get(username="demo"), users.get(username=DIRECTOR["username"])
    contracts(context, author)
    for requested in REQUESTS:
        request(context, requested, author, director)
    for ordered in ORDERS:
        order(context, ordered, author)


# Without a password, nobody can sign in as this user.
DIRECTOR = {
    "username": "demo-director",
    "password": "!",
    "first_name": "Demo",
    "last_name": "Director",
}


def contracts(context: Any, author: Any) -> None:
    packs = default_packs(context)
    for number, title, vendor, status, begins, ends, items in CONTRACTS:
        contract = context.get_model("Contract").objects.create(
            number=number,
            title=title,
            vendor=company(context, vendor),
            fiscal_year=2569 if "2569" in number else 2570,
            starts_on=datetime.date.fromisoformat(begins),
            ends_on=datetime.date.fromisoformat(ends),
            total_value=sum(count * Decimal(price) for _, count, price in items),
            status=status,
            created_by=author,
        )
        for drug, count, price in items:
            contract.items.create(
                drug=packs[drug].drug,
                pack_ratio=packs[drug],
                packs=count,
                pack_price=Decimal(price),
            )


def request(context: Any, row: Any, author: Any, director: Any) -> None:
    number, status, reason, needed_by, lines = row
    generics = context.get_model("DrugGeneric").objects.in_bulk(
        [generic for generic, *_ in lines], field_name="working_code"
    )
    made = purchase_request_create(
        number=number,
        allocation=context.get_model("BudgetAllocation").objects.get(
            fiscal_year=2570, budget__code="MAINT-ED", department__code="PHARM"
        ),
        lines=[
            RequestLine(generic=generics[generic], quantity=quantity, unit_price=Decimal(price))
            for generic, quantity, price in lines
        ],
        created_by=author,
        reason=reason,
        needed_by=datetime.date.fromisoformat(needed_by),
    )
    if status != "draft":
        purchase_request_submit(request=made, submitted_by=author)
    if status in ("approved", "ordered"):
        purchase_request_approve(request=made, approved_by=director)
    if status == "rejected":
        purchase_request_reject(request=made, rejected_by=director)


def order(context: Any, row: Any, author: Any) -> None:
    number, asked, vendor, contract, ordered_on, due_on, lines = row
    packs = default_packs(context)
    purchase_order_create(
        number=number,
        request=context.get_model("PurchaseRequest").objects.get(number=asked),
        vendor=company(context, vendor),
        contract=context.get_model("Contract").objects.filter(number=contract).first(),
        lines=[
            OrderLine(pack_ratio=packs[drug], packs=count, pack_price=Decimal(price))
            for drug, count, price in lines
        ],
        ordered_on=datetime.date.fromisoformat(ordered_on),
        due_on=datetime.date.fromisoformat(due_on),
        created_by=author,
    )


def default_packs(context: Any) -> dict[str, Any]:
    packs = context.get_model("PackRatio").objects.select_related("drug").filter(is_default=True)
    return {pack.drug.standard_code: pack for pack in packs}


def company(context: Any, code: str) -> Any:
    return context.get_model("Company").objects.get(code=code)
