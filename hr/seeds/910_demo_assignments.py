"""Demo assignments, in Python because assignments have no natural key."""

from __future__ import annotations

import datetime
from typing import Any

tags = ["demo"]

# Locations of inventory, by the ids that its seeds get in empty tables.
WAREHOUSE, OUTPATIENT_PHARMACY = 1, 2

# employee, position, first day, last day, and optionally the location
ASSIGNMENTS = (
    ("900001", "DIRECTOR", "2020-10-01", None),
    ("900002", "PHARMACIST", "2012-10-01", "2022-09-30"),
    ("900002", "CHIEF-PHARM", "2022-10-01", None),
    ("900003", "PHARMACIST", "2019-04-16", None, OUTPATIENT_PHARMACY),
    ("900004", "PHARM-TECH", "2021-10-01", None, WAREHOUSE),
    ("900005", "NURSE", "2015-05-04", None),
    ("900006", "ACCOUNTANT", "2017-10-02", None),
    ("900007", "HEAD-NURSE", "2001-10-01", "2025-09-30"),
)


def seed(context: Any) -> None:
    assignment = context.get_model("Assignment")
    numbers = [number for number, *_ in ASSIGNMENTS]
    if assignment.objects.filter(employee__employee_number__in=numbers).exists():
        return
    employees = context.get_model("Employee").objects.in_bulk(numbers, field_name="employee_number")
    positions = {one.code: one for one in context.get_model("Position").objects.all()}
    for number, position, starts, ends, *location in ASSIGNMENTS:
        assignment.objects.create(
            employee=employees[number],
            position=positions[position],
            starts_on=datetime.date.fromisoformat(starts),
            ends_on=datetime.date.fromisoformat(ends) if ends else None,
            location_id=location[0] if location else None,
        )
