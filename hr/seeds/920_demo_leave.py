"""Demo leave requests; the approved ones add up to the used days of the balances."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

tags = ["demo"]
writes_core = True

# employee, leave type, first day, last day, days, reason, status
REQUESTS = (
    ("900002", "ANNUAL", "2026-03-02", "2026-03-05", "4", "ไปเยี่ยมบิดามารดา", "approved"),
    ("900003", "ANNUAL", "2026-05-11", "2026-05-12", "2", "ท่องเที่ยวกับครอบครัว", "approved"),
    ("900003", "ANNUAL", "2026-06-12", "2026-06-12", "0.5", "ติดต่อราชการ", "approved"),
    ("900005", "SICK", "2026-08-03", "2026-08-05", "3", "ไข้หวัดใหญ่", "approved"),
    ("900003", "ANNUAL", "2026-12-28", "2026-12-31", "4", "Travel at New Year", "rejected"),
    ("900004", "ANNUAL", "2026-12-14", "2026-12-16", "3", "งานแต่งงานของพี่สาว", "requested"),
    ("900005", "SICK", "2026-12-03", "2026-12-04", "2", "ผ่าตัดเล็ก", "requested"),
    ("900002", "ANNUAL", "2026-10-12", "2026-10-13", "2", "Plans changed", "cancelled"),
)
# Without a password, nobody can sign in as this user.
DIRECTOR = {
    "username": "demo-director",
    "password": "!",
    "first_name": "Demo",
    "last_name": "Director",
}


def seed(context: Any) -> None:
    request = context.get_model("LeaveRequest")
    numbers = {number for number, *_ in REQUESTS}
    if request.objects.filter(employee__employee_number__in=numbers).exists():
        return
    context.upsert("core.User", [DIRECTOR])
    director = context.get_model("core.User").objects.only("pk").get(username="demo-director")
    employees = context.get_model("Employee").objects.in_bulk(numbers, field_name="employee_number")
    kinds = {one.code: one for one in context.get_model("LeaveType").objects.all()}
    for number, kind, begins, ends, days, reason, status in REQUESTS:
        starts_on = datetime.date.fromisoformat(begins)
        decided = status in ("approved", "rejected")
        request.objects.create(
            employee=employees[number],
            leave_type=kinds[kind],
            starts_on=starts_on,
            ends_on=datetime.date.fromisoformat(ends),
            days=Decimal(days),
            reason=reason,
            status=status,
            decided_by=director if decided else None,
            decided_at=datetime.datetime.combine(
                min(starts_on, datetime.date(2026, 11, 20)) - datetime.timedelta(days=7),
                datetime.time(3),
                datetime.UTC,
            )
            if decided
            else None,
        )
