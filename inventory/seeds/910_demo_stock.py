"""Demo stock: lots with early, late and past expiry dates, partly issued."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

tags = ["demo"]

# drug, days until expiry, units received, units issued, cost per unit
LOTS = (
    ("000000000000000000000001", 540, 50_000, 12_000, "0.32"),
    ("000000000000000000000001", 75, 8_000, 7_500, "0.31"),
    ("000000000000000000000002", 300, 400, 120, "11.00"),
    ("000000000000000000000003", 620, 20_000, 6_500, "1.15"),
    ("000000000000000000000005", 700, 60_000, 22_000, "0.45"),
    ("000000000000000000000006", 400, 25_000, 9_000, "0.38"),
    ("000000000000000000000009", 45, 180, 60, "95.00"),
    ("000000000000000000000010", 365, 900, 350, "18.50"),
    ("000000000000000000000011", 500, 150, 35, "22.00"),
    ("000000000000000000000012", 800, 1_200, 400, "24.00"),
    ("000000000000000000000013", -10, 40, 25, "68.00"),
    ("000000000000000000000013", 450, 200, 30, "70.00"),
)


def seed(context: Any) -> None:
    movement = context.get_model("StockTransaction")
    if movement.objects.filter(reference="DEMO").exists():
        return
    lot_model = context.get_model("DrugLot")
    drugs = context.get_model("Drug").objects.in_bulk(
        [drug for drug, *_ in LOTS], field_name="standard_code"
    )
    warehouse = context.get_model("Location").objects.get(code="WH")
    ward = context.get_model("Department").objects.get(code="MED")
    author = context.get_model("core.User").objects.only("pk").get(username="demo")
    today = datetime.date.today()
    for number, (drug, days, received, issued, cost) in enumerate(LOTS, 1):
        lot = lot_model.objects.create(
            drug=drugs[drug],
            lot_number=f"DEMO{number:03}",
            expires_on=today + datetime.timedelta(days=days),
            unit_cost=Decimal(cost),
            created_by=author,
        )
        for kind, quantity, department in (
            ("receive", received, None),
            ("issue", -issued, ward),
        ):
            movement.objects.create(
                kind=kind,
                location=warehouse,
                lot=lot,
                quantity=quantity,
                department=department,
                reference="DEMO",
                created_by=author,
            )
