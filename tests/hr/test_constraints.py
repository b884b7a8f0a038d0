"""Constraints and triggers of human resources in the database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from hr.models import Assignment, Employee, LeaveBalance, LeaveRequest, LeaveType, Position
from tests.support.business import make_cost_centre, make_user

pytestmark = pytest.mark.usefixtures("rolled_back")
DAY = date(2024, 3, 4)


def make_employee(**fields):
    defaults = {"employee_number": "100001", "first_name_th": "ก", "last_name_th": "ข"}
    centre = fields.pop("cost_centre", None) or make_cost_centre()
    return Employee.objects.create(**{**defaults, "cost_centre": centre, "hired_on": DAY, **fields})


def make_request(employee, **fields):
    leave_type, _ = LeaveType.objects.get_or_create(code="SICK", defaults={"days_per_year": 30})
    days = {"starts_on": DAY, "ends_on": DAY + timedelta(days=4), "days": 5}
    return LeaveRequest.objects.create(
        **{"employee": employee, "leave_type": leave_type, **days, **fields}
    )


def make_assignment(employee, **fields):
    position, _ = Position.objects.get_or_create(code="RN", defaults={"title_th": "พยาบาล"})
    return Assignment.objects.create(
        **{"employee": employee, "position": position, "starts_on": DAY, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"employee_number": "12345"}, "employees_number_check"),
        ({"employee_number": "12345x"}, "employees_number_check"),
        ({"left_on": DAY - timedelta(days=1)}, "employees_period_check"),
    ],
)
def test_employees(fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make_employee(**fields)


def test_employees__number_and_login_once():
    user = make_user()
    make_employee(user=user)
    with pytest.raises(IntegrityError, match="employees_number_key"), transaction.atomic():
        make_employee()
    with pytest.raises(IntegrityError, match="employees_user_key"), transaction.atomic():
        make_employee(employee_number="100002", user=user)


def test_employees__two_may_have_one_name_and_no_login():
    make_employee()
    make_employee(employee_number="100002")


def test_employees__deleting_the_user_keeps_the_employee():
    employee = make_employee(user=make_user())
    employee.user.delete()
    employee.refresh_from_db()
    assert employee.user is None


def test_positions__need_a_thai_title():
    with (
        pytest.raises(IntegrityError, match="positions_title_th_not_blank_check"),
        transaction.atomic(),
    ):
        Position.objects.create(code="X", title_en="X", title_th="")


def test_assignments__no_overlap_in_one_position():
    employee = make_employee()
    make_assignment(employee, ends_on=DAY + timedelta(days=9))
    with pytest.raises(IntegrityError, match="assignments_no_overlap_excl"), transaction.atomic():
        make_assignment(employee, starts_on=DAY + timedelta(days=9))
    make_assignment(employee, starts_on=DAY + timedelta(days=10))
    with pytest.raises(IntegrityError, match="assignments_no_overlap_excl"), transaction.atomic():
        make_assignment(employee, starts_on=DAY + timedelta(days=999))


def test_assignments__the_end_is_not_before_the_start():
    with pytest.raises(IntegrityError, match="assignments_period_check"), transaction.atomic():
        make_assignment(make_employee(), ends_on=DAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"status": "perhaps"}, "leave_requests_status_check"),
        ({"days": 0}, "leave_requests_days_check"),
        ({"ends_on": DAY - timedelta(days=1)}, "leave_requests_period_check"),
    ],
)
def test_leave_requests(fields, constraint):
    employee = make_employee(hired_on=date(2020, 1, 1))
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make_request(employee, **fields)


def test_leave_requests__no_overlap_unless_rejected():
    employee = make_employee()
    make_request(employee)
    with (
        pytest.raises(IntegrityError, match="leave_requests_no_overlap_excl"),
        transaction.atomic(),
    ):
        make_request(employee)
    make_request(employee, status="rejected")


@pytest.mark.parametrize("left_on", [None, DAY + timedelta(days=3)])
def test_leave_requests__within_the_employment(left_on):
    hired_on = DAY if left_on else DAY + timedelta(days=1)
    employee = make_employee(hired_on=hired_on, left_on=left_on)
    message = f"employee {employee.pk} is not employed from 2024-03-04 to 2024-03-08"
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        make_request(employee)


def test_leave_balances__not_more_than_entitled_and_one_a_year():
    leave_type = LeaveType.objects.create(code="SICK", days_per_year=30)
    row = {"employee": make_employee(), "leave_type": leave_type, "year": 2024, "entitled_days": 5}
    with (
        pytest.raises(IntegrityError, match="leave_balances_used_days_check"),
        transaction.atomic(),
    ):
        LeaveBalance.objects.create(**row, used_days=6)
    LeaveBalance.objects.create(**row)
    with pytest.raises(IntegrityError, match="leave_balances_year_key"), transaction.atomic():
        LeaveBalance.objects.create(**row)


def test_leave_types__days_fit_a_year():
    with (
        pytest.raises(IntegrityError, match="leave_types_days_per_year_check"),
        transaction.atomic(),
    ):
        LeaveType.objects.create(code="LONG", days_per_year=367)
