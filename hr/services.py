"""Changes to people, positions and leave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from .models import Assignment, Employee, LeaveBalance, LeaveRequest, LeaveType, Position
from .models.leave import working_days


def employee_hire(
    *,
    employee_number: str,
    first_name_th: str,
    last_name_th: str,
    cost_centre_id: int,
    hired_on: date,
    first_name_en: str = "",
    last_name_en: str = "",
    user: Any = None,
) -> Employee:
    """Enter a new employee.

    Raises:
        ValidationError: the number is not six digits or taken, or the login is another's.
    """
    employee = Employee(
        employee_number=employee_number,
        first_name_th=first_name_th,
        last_name_th=last_name_th,
        first_name_en=first_name_en,
        last_name_en=last_name_en,
        cost_centre_id=cost_centre_id,
        hired_on=hired_on,
        user=user,
    )
    employee.full_clean()
    employee.save()
    return employee


@transaction.atomic
def employee_leave(*, employee: Employee, left_on: date) -> Employee:
    """Record that somebody leaves, and end what they are assigned to on that day.

    Raises:
        ValidationError: they would leave before they were hired, or before an assignment starts.
    """
    employee.left_on = left_on
    employee.full_clean()
    employee.save()
    for assignment in employee.assignments.select_for_update().all():
        if assignment.ends_on is None or assignment.ends_on > left_on:
            assignment_end(assignment=assignment, ends_on=left_on)
    return employee


def position_assign(
    *,
    employee: Employee,
    position: Position,
    starts_on: date,
    ends_on: date | None = None,
    location_id: int | None = None,
) -> Assignment:
    """Put an employee into a position, from a day to a day, or open-ended.

    Args:
        location_id: a location of inventory, where the work is done.

    Raises:
        ValidationError: the period is turned round, lies outside the employment or overlaps
            another in the same position, or the position is not in use.
    """
    if not position.is_active:
        raise ValidationError({"position": f"The position {position.code} is not in use."})
    assignment = Assignment(
        employee=employee,
        position=position,
        starts_on=starts_on,
        ends_on=ends_on,
        location_id=location_id,
    )
    assignment.full_clean()
    assignment.save()
    return assignment


def assignment_end(*, assignment: Assignment, ends_on: date) -> Assignment:
    """End an assignment; the day given is its last."""
    assignment.ends_on = ends_on
    assignment.full_clean()
    assignment.save()
    return assignment


def leave_balance_open(
    *, employee: Employee, leave_type: LeaveType, year: int, entitled_days: Decimal | None = None
) -> LeaveBalance:
    """Entitle an employee to leave in a year: to what the kind of leave gives, unless told."""
    balance = LeaveBalance(
        employee=employee,
        leave_type=leave_type,
        year=year,
        entitled_days=leave_type.days_per_year if entitled_days is None else entitled_days,
    )
    balance.full_clean()
    balance.save()
    return balance


def leave_request(
    *,
    employee: Employee,
    leave_type: LeaveType,
    starts_on: date,
    ends_on: date,
    reason: str = "",
) -> LeaveRequest:
    """Ask for leave; whether enough days are left is decided when it is approved.

    Raises:
        ValidationError: there is no working day in the period, it overlaps other leave, crosses
            the new year or lies outside the employment.
    """
    request = LeaveRequest(
        employee=employee,
        leave_type=leave_type,
        starts_on=starts_on,
        ends_on=ends_on,
        days=working_days(starts_on, ends_on),
        reason=reason,
    )
    request.full_clean()
    request.save()
    return request


@transaction.atomic
def leave_approve(*, request: LeaveRequest, decided_by: Any) -> LeaveRequest:
    """Approve a request and take its days from the balance of its year.

    Raises:
        ValidationError: it is decided already, or the balance is missing or too small.
    """
    request = _open_request(request)
    balance = (
        LeaveBalance.objects.select_for_update()
        .filter(
            employee=request.employee_id,
            leave_type=request.leave_type_id,
            year=request.starts_on.year,
        )
        .first()
    )
    remaining = balance.remaining_days if balance else Decimal(0)
    if balance is None or remaining < request.days:
        raise ValidationError(f"{request.days} days are asked for, {remaining} are left.")
    balance.used_days += request.days
    balance.full_clean()
    balance.save()
    return _decide(request, LeaveRequest.Status.APPROVED, decided_by)


@transaction.atomic
def leave_reject(*, request: LeaveRequest, decided_by: Any) -> LeaveRequest:
    """Reject a request."""
    return _decide(_open_request(request), LeaveRequest.Status.REJECTED, decided_by)


@transaction.atomic
def leave_cancel(*, request: LeaveRequest, cancelled_by: Any) -> LeaveRequest:
    """Cancel leave; the days of approved leave go back to the balance.

    Raises:
        ValidationError: it was rejected or cancelled before.
    """
    request = LeaveRequest.objects.select_for_update().get(pk=request.pk)
    if request.status not in (LeaveRequest.Status.REQUESTED, LeaveRequest.Status.APPROVED):
        raise ValidationError(f"The request is {request.status} already.")
    if request.status == LeaveRequest.Status.APPROVED:
        balance = LeaveBalance.objects.select_for_update().get(
            employee=request.employee_id,
            leave_type=request.leave_type_id,
            year=request.starts_on.year,
        )
        balance.used_days -= request.days
        balance.full_clean()
        balance.save()
    return _decide(request, LeaveRequest.Status.CANCELLED, cancelled_by)


def _open_request(request: LeaveRequest) -> LeaveRequest:
    locked = LeaveRequest.objects.select_for_update().get(pk=request.pk)
    if locked.status != LeaveRequest.Status.REQUESTED:
        raise ValidationError(f"The request is {locked.status} already.")
    return locked


def _decide(request: LeaveRequest, status: str, decided_by: Any) -> LeaveRequest:
    request.status = status
    request.decided_by = decided_by
    request.decided_at = timezone.now()
    request.full_clean()
    request.save()
    return request
