"""Demo budget requests for the next fiscal year, one in each status."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory.services.budget_requests import (
    budget_request_approve,
    budget_request_comment_create,
    budget_request_create,
    budget_request_move,
)
from inventory.services.purchasing import RequestLine

tags = ["demo"]

# number, department, budget, justification, statuses after draft, approved amount, comment,
# items: generic, units, price per unit
REQUESTS: tuple[tuple[Any, ...], ...] = (
    (
        "BR-2571-0001",
        "PHARM",
        "MAINT-ED",
        "Prices rose by three per cent (ราคายาสูงขึ้นร้อยละ 3)",
        ("submitted", "reviewed", "approved"),
        "1150000.00",
        "The committee agrees (คณะกรรมการเห็นชอบ)",
        (("1000001", 660_000, "0.33"), ("1000005", 950_000, "0.46"), ("1000003", 420_000, "1.18")),
    ),
    (
        "BR-2571-0002",
        "ICU",
        "UC-ED",
        "Two more beds (เพิ่มเตียง 2 เตียง)",
        ("submitted", "reviewed"),
        None,
        "Please add how much was used last year (ขอข้อมูลการใช้ปีก่อน)",
        (("1000010", 5_000, "18.50"), ("1000011", 1_200, "22.00")),
    ),
    (
        "BR-2571-0003",
        "ER",
        "MAINT-ED",
        "Road accidents at New Year (อุบัติเหตุช่วงปีใหม่)",
        ("submitted",),
        None,
        "",
        (("1000012", 6_000, "24.00"), ("1000011", 400, "22.00")),
    ),
    (
        "BR-2571-0004",
        "PED",
        "MAINT-NED",
        "Syrups with another flavour (ยาน้ำรสใหม่)",
        ("submitted", "rejected"),
        None,
        "The drug list already has one (มีในบัญชียาแล้ว)",
        (("1000002", 4_000, "11.00"),),
    ),
    (
        "BR-2571-0005",
        "MED",
        "UC-ED",
        "",
        (),
        None,
        "",
        (("1000007", 180_000, "0.60"),),
    ),
)


def seed(context: Any) -> None:
    if context.get_model("BudgetRequest").objects.filter(number=REQUESTS[0][0]).exists():
        return
    author = context.get_model("core.User").objects.only("pk").get(username="demo")
    generics = context.get_model("DrugGeneric").objects.in_bulk(field_name="working_code")
    for number, department, budget, justification, steps, amount, comment, lines in REQUESTS:
        request = budget_request_create(
            number=number,
            fiscal_year=2571,
            department=context.get_model("Department").objects.get(code=department),
            budget=context.get_model("Budget").objects.get(code=budget),
            lines=[
                RequestLine(generic=generics[generic], quantity=quantity, unit_price=Decimal(price))
                for generic, quantity, price in lines
            ],
            created_by=author,
            justification=justification,
        )
        for step in steps:
            if step == "approved":
                budget_request_approve(
                    request=request, approved_amount=Decimal(amount), approved_by=author
                )
            else:
                request = budget_request_move(request=request, status=step, moved_by=author)
        if comment:
            budget_request_comment_create(request=request, body=comment, created_by=author)
