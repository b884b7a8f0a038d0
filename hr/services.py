"""Changes to employees, assignments and leave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.models import User

from .models import Assignment, Employee, LeaveBalance, LeaveRequest, LeaveType, Position
from .models.leave import working_days

Status = LeaveRequest.Status


def employee_hire(
    *,
    employee_number: str,
    first_name_th: str,
    last_name_th: str,
    cost_centre_id: int,
    hired_on: date,
    first_name_en: str = "",
    last_name_en: str = "",
    user: User | None = None,
) -> Employee:
    """Create an employee.

    Raises:
        ValidationError: the number does not have six digits or is taken, or the user belongs to
            another employee.
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
def employee_terminate(*, employee: Employee, left_on: date) -> Employee:
    """End an employment, and the assignments that are still open on its last day.

    Raises:
        ValidationError: the last day is before the employment or before one of the assignments.
    """
    employee.left_on = left_on
    employee.full_clean()
    employee.save()
    for assignment in employee.assignments.select_for_update().all():
        if assignment.ends_on is None or assignment.ends_on > left_on:
            assignment_end(assignment=assignment, ends_on=left_on)
    return employee


def assignment_create(
    *,
    employee: Employee,
    position: Position,
    starts_on: date,
    ends_on: date | None = None,
    location_id: int | None = None,
) -> Assignment:
    """Assign an employee to a position for a period, which may be open-ended.

    Args:
        location_id: the location of inventory where the work is done.

    Raises:
        ValidationError: the period ends before it starts, begins outside the employment or
            overlaps another in the same position, or the position is inactive.
    """
    if not position.is_active:
        raise ValidationError({"position": f"The position {position.code} is inactive."})
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
    """End an assignment; ``ends_on`` is its last day."""
    assignment.ends_on = ends_on
    assignment.full_clean()
    assignment.save()
    return assignment


def leave_balance_create(
    *, employee: Employee, leave_type: LeaveType, year: int, entitled_days: Decimal | None = None
) -> LeaveBalance:
    """Entitle an employee to leave in a year, by default to the days of the leave type."""
    balance = LeaveBalance(
        employee=employee,
        leave_type=leave_type,
        year=year,
        entitled_days=leave_type.days_per_year if entitled_days is None else entitled_days,
    )
    balance.full_clean()
    balance.save()
    return balance


def leave_request_create(
    *,
    employee: Employee,
    leave_type: LeaveType,
    starts_on: date,
    ends_on: date,
    reason: str = "",
) -> LeaveRequest:
    """Request leave; the balance is checked when the request is approved.

    Raises:
        ValidationError: the period has no working day, overlaps other leave, is in two calendar
            years or is outside the employment.
    """
    request = LeaveRequest(
        employee=employee,
        leave_type=leave_type,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason,
    )
    return leave_request_save(request=request)


def leave_request_save(*, request: LeaveRequest) -> LeaveRequest:
    """Validate a new or edited request, count its working days and save it.

    Raises:
        ValidationError: as for ``leave_request_create``.
    """
    # A valid period has working days to count, an invalid one may not.
    request.full_clean(exclude=["days"])
    request.days = working_days(request.starts_on, request.ends_on)
    request.save()
    return request


@transaction.atomic
def leave_request_approve(*, request: LeaveRequest, approved_by: User) -> LeaveRequest:
    """Approve a request and take its days from the balance of its year.

    Raises:
        ValidationError: the request is not open, or the balance is missing or too small.
    """
    request = _lock(request, allowed=(Status.REQUESTED,))
    balance = _balances(request).first()
    remaining = balance.remaining_days if balance else Decimal(0)
    if balance is None or remaining < request.days:
        raise ValidationError(
            f"{request.employee} requests {request.days} days of leave and has {remaining} left."
        )
    balance.used_days += request.days
    balance.full_clean()
    balance.save()
    return _decide(request, status=Status.APPROVED, decided_by=approved_by)


@transaction.atomic
def leave_request_reject(*, request: LeaveRequest, rejected_by: User) -> LeaveRequest:
    """Reject a request.

    Raises:
        ValidationError: the request is not open.
    """
    request = _lock(request, allowed=(Status.REQUESTED,))
    return _decide(request, status=Status.REJECTED, decided_by=rejected_by)


@transaction.atomic
def leave_request_cancel(*, request: LeaveRequest, cancelled_by: User) -> LeaveRequest:
    """Cancel a request; the days of approved leave go back to the balance.

    Raises:
        ValidationError: the request was rejected or cancelled before.
    """
    request = _lock(request, allowed=(Status.REQUESTED, Status.APPROVED))
    if request.status == Status.APPROVED:
        balance = _balances(request).get()
        balance.used_days -= request.days
        balance.full_clean()
        balance.save()
    return _decide(request, status=Status.CANCELLED, decided_by=cancelled_by)


def _lock(request: LeaveRequest, *, allowed: tuple[str, ...]) -> LeaveRequest:
    locked = LeaveRequest.objects.select_for_update().get(pk=request.pk)
    if locked.status not in allowed:
        raise ValidationError(f"The leave request of {locked.employee} is already {locked.status}.")
    return locked


def _balances(request: LeaveRequest) -> QuerySet[LeaveBalance]:
    """Return the balance that a request draws on, locked when read, or nothing."""
    return LeaveBalance.objects.select_for_update().filter(
        employee=request.employee_id,
        leave_type=request.leave_type_id,
        year=request.starts_on.year,
    )


def _decide(request: LeaveRequest, *, status: str, decided_by: User) -> LeaveRequest:
    request.status = status
    request.decided_by = decided_by
    request.decided_at = timezone.now()
    request.full_clean()
    request.save()
    return request
