"""Services and selectors of human resources."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from hr import selectors, services
from hr.models import Assignment, Employee, LeaveBalance, LeaveRequest, LeaveType, Position
from tests.support.business import make_cost_centre, make_user

pytestmark = pytest.mark.usefixtures("rolled_back")
Status = LeaveRequest.Status


@pytest.fixture
def employee(rolled_back):
    return services.employee_hire(
        employee_number="100001",
        first_name_th="สมชาย",
        last_name_th="ใจดี",
        cost_centre_id=make_cost_centre().pk,
        hired_on=date(2024, 1, 1),
    )


@pytest.fixture
def nurse(rolled_back):
    return Position.objects.create(code="RN", title_en="Nurse", title_th="พยาบาล")


@pytest.fixture
def annual(rolled_back):
    return LeaveType.objects.create(
        code="ANNUAL", name_en="Annual", name_th="ลาพักผ่อน", days_per_year=10
    )


def messages(raised):
    return " ".join(raised.value.messages)


def test_hire(employee):
    assert str(Employee.objects.get()) == "100001 สมชาย ใจดี"


@pytest.mark.parametrize("number", ["12345", "1234567", "12345a", ""])
def test_hire__number_is_not_six_digits(number):
    with pytest.raises(ValidationError):
        services.employee_hire(
            employee_number=number,
            first_name_th="ก",
            last_name_th="ข",
            cost_centre_id=make_cost_centre().pk,
            hired_on=date(2024, 1, 1),
        )
    assert not Employee.objects.exists()


def test_assign(employee, nurse):
    services.assignment_create(employee=employee, position=nurse, starts_on=date(2024, 1, 1))
    held = selectors.assignment_list(day=date(2025, 1, 1)).get()
    assert (held.employee, held.position) == (employee, nurse)
    assert not selectors.assignment_list(day=date(2023, 12, 31)).exists()


def test_assign__twice_at_a_time(employee, nurse):
    services.assignment_create(
        employee=employee, position=nurse, starts_on=date(2024, 1, 1), ends_on=date(2024, 6, 30)
    )
    with pytest.raises(ValidationError) as raised:
        services.assignment_create(employee=employee, position=nurse, starts_on=date(2024, 6, 30))
    assert messages(raised) == "The employee already holds this position in that period."
    services.assignment_create(employee=employee, position=nurse, starts_on=date(2024, 7, 1))
    assert Assignment.objects.count() == 2


def test_assign__two_positions_at_a_time_are_fine(employee, nurse):
    head = Position.objects.create(code="HN", title_en="Head nurse", title_th="หัวหน้าพยาบาล")
    for position in (nurse, head):
        services.assignment_create(employee=employee, position=position, starts_on=date(2024, 1, 1))
    assert selectors.assignment_list(day=date(2024, 1, 1)).count() == 2


def test_assign__position_not_in_use(employee, nurse):
    nurse.is_active = False
    with pytest.raises(ValidationError) as raised:
        services.assignment_create(employee=employee, position=nurse, starts_on=date(2024, 1, 1))
    assert messages(raised) == "The position RN is inactive."


def test_assign__before_the_employment(employee, nurse):
    with pytest.raises(ValidationError) as raised:
        services.assignment_create(employee=employee, position=nurse, starts_on=date(2023, 1, 1))
    assert messages(raised) == "100001 สมชาย ใจดี is not employed on 2023-01-01."


def test_leaving_ends_open_assignments_and_requests(employee, nurse):
    services.assignment_create(employee=employee, position=nurse, starts_on=date(2024, 1, 1))
    services.employee_terminate(employee=employee, left_on=date(2024, 9, 30))
    assert Assignment.objects.get().ends_on == date(2024, 9, 30)
    assert selectors.employee_list(day=date(2024, 9, 30)).get() == employee
    assert not selectors.employee_list(day=date(2024, 10, 1)).exists()


def test_leave_is_counted_in_working_days(employee, annual):
    request = services.leave_request_create(
        employee=employee,
        leave_type=annual,
        starts_on=date(2024, 3, 1),  # a Friday
        ends_on=date(2024, 3, 5),
    )
    assert (request.days, request.status) == (Decimal(3), Status.REQUESTED)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "message"),
    [
        (date(2024, 3, 2), date(2024, 3, 3), "There is no working day in that period."),
        (
            date(2024, 12, 30),
            date(2025, 1, 3),
            "Leave is counted by calendar year; request each year separately.",
        ),
        (
            date(2023, 3, 1),
            date(2023, 3, 2),
            "100001 สมชาย ใจดี is not employed for the whole period.",
        ),
    ],
)
def test_leave__period_that_cannot_be(employee, annual, starts_on, ends_on, message):
    with pytest.raises(ValidationError) as raised:
        services.leave_request_create(
            employee=employee, leave_type=annual, starts_on=starts_on, ends_on=ends_on
        )
    assert messages(raised) == message


def test_leave__ends_before_it_starts(employee, annual):
    with pytest.raises(ValidationError) as raised:
        services.leave_request_create(
            employee=employee,
            leave_type=annual,
            starts_on=date(2024, 3, 5),
            ends_on=date(2024, 3, 1),
        )
    assert messages(raised) == "Leave cannot end before it starts."


@pytest.fixture
def request_of_three_days(employee, annual):
    services.leave_balance_create(employee=employee, leave_type=annual, year=2024)
    return services.leave_request_create(
        employee=employee,
        leave_type=annual,
        starts_on=date(2024, 3, 4),
        ends_on=date(2024, 3, 6),
    )


def test_approve_deducts_the_days_and_cancel_restores_them(request_of_three_days):
    boss = make_user()
    approved = services.leave_request_approve(request=request_of_three_days, approved_by=boss)
    assert (approved.status, approved.decided_by) == (Status.APPROVED, boss)
    assert LeaveBalance.objects.get().remaining_days == Decimal(7)
    assert selectors.leave_request_approved_list(day=date(2024, 3, 5)).get() == approved
    services.leave_request_cancel(request=approved, cancelled_by=boss)
    assert LeaveBalance.objects.get().remaining_days == Decimal(10)
    assert not selectors.leave_request_approved_list(day=date(2024, 3, 5)).exists()


def test_deciding_keeps_half_days(request_of_three_days):
    LeaveRequest.objects.update(days=Decimal("2.5"))
    services.leave_request_approve(request=request_of_three_days, approved_by=make_user())
    assert LeaveRequest.objects.get().days == Decimal("2.5")
    assert LeaveBalance.objects.get().used_days == Decimal("2.5")


def test_reject_deducts_nothing(request_of_three_days):
    services.leave_request_reject(request=request_of_three_days, rejected_by=make_user())
    assert LeaveBalance.objects.get().used_days == 0


def test_decide__decided_already(request_of_three_days):
    services.leave_request_reject(request=request_of_three_days, rejected_by=make_user())
    for action, user in (("approve", "approved_by"), ("reject", "rejected_by")):
        decide = getattr(services, f"leave_request_{action}")
        with pytest.raises(ValidationError) as raised:
            decide(**{"request": request_of_three_days, user: make_user()})
        assert messages(raised) == "The leave request of 100001 สมชาย ใจดี is already rejected."
    with pytest.raises(ValidationError):
        services.leave_request_cancel(request=request_of_three_days, cancelled_by=make_user())


def test_approve__too_few_days_left(request_of_three_days):
    LeaveBalance.objects.update(used_days=8)
    with pytest.raises(ValidationError) as raised:
        services.leave_request_approve(request=request_of_three_days, approved_by=make_user())
    assert messages(raised) == ("100001 สมชาย ใจดี requests 3.0 days of leave and has 2.0 left.")
    assert LeaveRequest.objects.get().status == Status.REQUESTED


def test_approve__no_balance(request_of_three_days):
    LeaveBalance.objects.all().delete()
    with pytest.raises(ValidationError) as raised:
        services.leave_request_approve(request=request_of_three_days, approved_by=make_user())
    assert messages(raised) == ("100001 สมชาย ใจดี requests 3.0 days of leave and has 0 left.")


def test_rejected_leave_may_be_requested_again(request_of_three_days):
    period = {"starts_on": date(2024, 3, 6), "ends_on": date(2024, 3, 8)}
    again = {
        "employee": request_of_three_days.employee,
        "leave_type": request_of_three_days.leave_type,
        **period,
    }
    with pytest.raises(ValidationError) as raised:
        services.leave_request_create(**again)
    assert messages(raised) == "The employee already has leave in that period."
    services.leave_request_reject(request=request_of_three_days, rejected_by=make_user())
    assert services.leave_request_create(**again).pk


def test_staff_list_reads_the_view(employee, nurse):
    services.assignment_create(employee=employee, position=nurse, starts_on=date(2024, 1, 1))
    services.employee_hire(
        employee_number="100002",
        first_name_th="สมหญิง",
        last_name_th="ใจดี",
        cost_centre_id=make_cost_centre().pk,
        hired_on=date(2024, 1, 1),
    )
    assert selectors.staff_member_list() == [
        ("100001", "สมชาย", "ใจดี", "RN", "พยาบาล", date(2024, 1, 1)),
        ("100002", "สมหญิง", "ใจดี", None, None, None),
    ]


def test_rows_are_named_by_what_they_refer_to(employee):
    employee.refresh_from_db()
    request = LeaveRequest(employee=employee, starts_on=date(2027, 1, 4), ends_on=date(2027, 1, 5))
    assert str(request) == "100001 สมชาย ใจดี from 2027-01-04 to 2027-01-05"
