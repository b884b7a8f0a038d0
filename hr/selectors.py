"""Queries on employees, assignments and absences."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from django.db import connections, router
from django.db.models import Q, QuerySet

from .models import Assignment, Employee, LeaveRequest

CURRENT_STAFF = """
SELECT employee_number, first_name_th, last_name_th, position_code, position_title_th, starts_on
  FROM "hr"."current_staff"
 ORDER BY employee_number, position_code
"""


class StaffMember(NamedTuple):
    """A line of the staff list: an employee with one of today's positions, if any."""

    employee_number: str
    first_name_th: str
    last_name_th: str
    position_code: str | None
    position_title_th: str | None
    starts_on: date | None


def staff_member_list() -> list[StaffMember]:
    """Return today's staff list, from the view that reports read too."""
    with connections[router.db_for_read(Employee)].cursor() as cursor:
        cursor.execute(CURRENT_STAFF)
        return [StaffMember(*row) for row in cursor.fetchall()]


def employee_list(*, day: date) -> QuerySet[Employee]:
    """Return the people who are employed on a day."""
    return Employee.objects.filter(Q(left_on__isnull=True) | Q(left_on__gte=day), hired_on__lte=day)


def assignment_list(*, day: date) -> QuerySet[Assignment]:
    """Return the assignments in force on a day, with their employees and positions."""
    return Assignment.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day
    ).select_related("employee", "position")


def leave_request_approved_list(*, day: date) -> QuerySet[LeaveRequest]:
    """Return the approved leave that covers a day, with the employees."""
    return LeaveRequest.objects.filter(
        status=LeaveRequest.Status.APPROVED, starts_on__lte=day, ends_on__gte=day
    ).select_related("employee", "leave_type")
