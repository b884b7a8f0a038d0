"""The admin pages of human resources."""

from __future__ import annotations

from datetime import date

import pytest
from django.apps import apps

from hr import services
from hr.models import (
    Assignment,
    Employee,
    LeaveBalance,
    LeaveRequest,
    LeaveType,
    Position,
)
from tests.support.business import (
    admin_models,
    admin_url,
    count_queries,
    make_cost_centre,
    make_user,
    superuser_client,
)

pytestmark = pytest.mark.usefixtures("rolled_back")
MODELS = [Assignment, Employee, LeaveBalance, LeaveRequest, LeaveType, Position]


def make_rows(start, count):
    """Fill every table of the domain."""
    annual, _ = LeaveType.objects.get_or_create(
        code="ANNUAL", defaults={"days_per_year": 10, "name_en": "Annual", "name_th": "ลา"}
    )
    for number in range(start, start + count):
        employee = services.employee_hire(
            employee_number=f"{number:06}",
            first_name_th="ก",
            last_name_th="ข",
            cost_centre_id=make_cost_centre().pk,
            hired_on=date(2024, 1, 1),
        )
        position = Position.objects.create(code=f"P{number}", title_en="P", title_th="ต")
        services.assignment_create(
            employee=employee, position=position, starts_on=date(2024, 1, 1), location_id=number
        )
        services.leave_balance_create(employee=employee, leave_type=annual, year=2024)
        services.leave_request_create(
            employee=employee,
            leave_type=annual,
            starts_on=date(2024, 3, 4),
            ends_on=date(2024, 3, 5),
        )


def test_every_model_has_pages():
    assert set(admin_models("hr")) == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_pages_open(model):
    make_rows(1, 1)
    client = superuser_client()
    assert client.get(admin_url(model, "changelist"), {"q": "1"}).status_code == 200
    assert client.get(admin_url(model, "add")).status_code == 200
    assert client.get(admin_url(model, "change", model.objects.get().pk)).status_code == 200


@pytest.mark.parametrize("model", [Assignment, Employee, LeaveBalance, LeaveRequest])
def test_a_list_costs_the_same_however_long_it_is(model):
    client = superuser_client()
    make_rows(1, 2)
    few = count_queries(client, admin_url(model, "changelist"))
    make_rows(3, 8)
    assert count_queries(client, admin_url(model, "changelist")) == few


def test_a_location_of_another_domain_is_a_link():
    make_rows(1, 2)
    location = apps.get_model("inventory.Location").objects.create(code="W9", name="Ward nine")
    Assignment.objects.filter(location_id=1).update(location_id=location.pk)
    page = superuser_client().get(admin_url(Assignment, "changelist")).content.decode()
    url = f"/admin/inventory/location/{location.pk}/change/"
    assert f'<td class="field-location_id"><a href="{url}">W9 Ward nine</a></td>' in page
    assert '<td class="field-location_id">2 (not found)</td>' in page


def test_actions_decide_requests():
    make_rows(1, 2)
    client, first, second = superuser_client(), *LeaveRequest.objects.order_by("pk")
    LeaveBalance.objects.filter(employee=second.employee).delete()
    data = {"action": "approve", "_selected_action": [first.pk, second.pk]}
    page = client.post(admin_url(LeaveRequest, "changelist"), data, follow=True)
    assert "000002 ก ข requests 2.0 days of leave and has 0 left." in page.content.decode()
    statuses = LeaveRequest.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["approved", "requested"]
    assert LeaveBalance.objects.get(employee=first.employee).used_days == 2


def test_a_decided_request_is_not_edited():
    make_rows(1, 1)
    request = LeaveRequest.objects.get()
    client, url = superuser_client(), admin_url(LeaveRequest, "change", request.pk)
    assert "_save" in client.get(url).content.decode()
    services.leave_request_reject(request=request, rejected_by=make_user())
    assert 'name="_save"' not in client.get(url).content.decode()


def test_a_weekend_is_refused_with_a_sentence():
    make_rows(1, 1)
    data = {"employee": Employee.objects.get().pk, "leave_type": LeaveType.objects.get().pk}
    data |= {"starts_on": "2024-03-09", "ends_on": "2024-03-10", "reason": ""}
    page = superuser_client().post(admin_url(LeaveRequest, "add"), data)
    assert "There is no working day in that period." in page.content.decode()


def test_the_admin_counts_the_working_days():
    make_rows(1, 1)
    data = {"employee": Employee.objects.get().pk, "leave_type": LeaveType.objects.get().pk}
    data |= {"starts_on": "2024-03-08", "ends_on": "2024-03-11", "reason": ""}
    client = superuser_client()
    response = client.post(admin_url(LeaveRequest, "add"), data)
    assert response.status_code == 302, response.context["errors"]
    request = LeaveRequest.objects.latest("pk")
    assert request.days == 2
    change = admin_url(LeaveRequest, "change", request.pk)
    assert client.post(change, {**data, "ends_on": "2024-03-12"}).status_code == 302
    request.refresh_from_db()
    assert request.days == 3
