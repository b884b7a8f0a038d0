"""The admin pages of the inventory."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import User
from inventory import models
from inventory.services.purchasing import purchase_request_submit
from tests.inventory.factories import Pharmacy, code, make_lot, make_receipt
from tests.inventory.test_purchasing import draft

INVENTORY = list(apps.get_app_config("inventory").get_models())
REGISTERED = [model for model in INVENTORY if model in admin.site._registry]
SHOWN_INLINE = {
    models.BudgetRequestComment,
    models.BudgetRequestItem,
    models.ContractItem,
    models.DrugComponent,
    models.PurchaseRequestItem,
    models.ReceiptInspector,
    models.ReceiptItem,
}


@pytest.fixture
def client(pharmacy: Pharmacy) -> Client:
    User.objects.filter(pk=pharmacy.director.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(pharmacy.director)
    return client


def page(model: type, name: str, *arguments: object) -> str:
    return reverse(f"admin:inventory_{model._meta.model_name}_{name}", args=arguments)


def act(client: Client, action: str, row: object) -> list[str]:
    response = client.post(
        page(type(row), "changelist"),
        {"action": action, "_selected_action": [row.pk]},
        follow=True,
    )
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def test_every_model_is_in_the_admin_or_inside_a_page_that_is() -> None:
    assert set(INVENTORY) - set(REGISTERED) == SHOWN_INLINE


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.model_name)
def test_pages_open(client: Client, pharmacy: Pharmacy, model: type) -> None:
    make_receipt(pharmacy)
    make_lot(pharmacy, days=30, quantity=5)
    assert client.get(page(model, "changelist"), {"q": "para"}).status_code == 200
    add = client.get(page(model, "add"))
    assert add.status_code == (
        200 if admin.site._registry[model].has_add_permission(add.wsgi_request) else 403
    )
    row = model.objects.first()
    if row is not None:
        assert client.get(page(model, "change", row.pk)).status_code == 200


def test_a_list_costs_the_same_with_more_rows(client: Client, pharmacy: Pharmacy) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(page(models.Drug, "changelist"))
        return len(captured)

    before = queries()
    models.Drug.objects.bulk_create(
        models.Drug(
            standard_code=code(),
            generic=pharmacy.generic,
            trade_name=f"Drug {number}",
            manufacturer=pharmacy.vendor,
        )
        for number in range(20)
    )
    assert queries() == before


def test_a_drug_added_here_names_its_author(client: Client, pharmacy: Pharmacy) -> None:
    standard_code = code()
    response = client.post(
        page(models.Drug, "add"),
        {
            "standard_code": standard_code,
            "generic": pharmacy.generic.pk,
            "trade_name": "New",
            "manufacturer": pharmacy.vendor.pk,
            "pack_ratios-TOTAL_FORMS": 0,
            "pack_ratios-INITIAL_FORMS": 0,
        },
    )
    assert response.status_code == 302
    assert models.Drug.objects.get(standard_code=standard_code).created_by == pharmacy.director


def test_a_drug_with_a_wrong_code_is_refused_in_words(client: Client, pharmacy: Pharmacy) -> None:
    response = client.post(page(models.Drug, "add"), {"standard_code": "123"})
    errors = response.context["adminform"].form.errors
    assert errors["standard_code"] == ["A standard drug code has 24 digits."]


def test_requests_are_decided_through_the_services(client: Client, pharmacy: Pharmacy) -> None:
    request = draft(pharmacy)
    assert act(client, "approve", request) == [
        'The status of purchase request PR1 is "Draft", not "Submitted".'
    ]
    assert act(client, "submit", request) == ["1 submitted."]
    assert act(client, "approve", request) == ["1 approved."]
    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("approved", pharmacy.director)
    second = draft(pharmacy, number="PR2", quantity=1)
    purchase_request_submit(request=second, submitted_by=pharmacy.user)
    assert act(client, "reject", second) == ["1 rejected."]


def test_a_receipt_is_posted_through_the_service(client: Client, pharmacy: Pharmacy) -> None:
    receipt = make_receipt(pharmacy)
    assert act(client, "post", receipt) == [
        f'The status of receipt {receipt} is "Draft"; only inspected receipts can be posted.'
    ]
    models.Receipt.objects.update(status="inspected")
    assert act(client, "post", receipt) == ["1 posted."]
    assert models.StockLevel.objects.get().quantity == 400


def test_a_comment_names_its_author(client: Client, pharmacy: Pharmacy) -> None:
    response = client.post(
        page(models.BudgetRequest, "add"),
        {
            "number": "BR9",
            "fiscal_year": 2570,
            "department": pharmacy.ward.pk,
            "budget": pharmacy.budget.pk,
            "items-TOTAL_FORMS": 0,
            "items-INITIAL_FORMS": 0,
            "comments-TOTAL_FORMS": 1,
            "comments-INITIAL_FORMS": 0,
            "comments-0-body": "Please.",
            "audit_trail-TOTAL_FORMS": 0,
            "audit_trail-INITIAL_FORMS": 0,
        },
    )
    assert response.status_code == 302
    request = models.BudgetRequest.objects.get(number="BR9")
    assert request.comments.get().created_by == pharmacy.director
    assert request.audit_trail.get().changed_by == pharmacy.director
    assert act(client, "submit", request)[-1] == "1 submitted."
    assert act(client, "review", request) == ["1 reviewed by the pharmacy."]
    assert act(client, "submit", request) == [
        "The status of budget request BR9 cannot change from"
        ' "Reviewed by the pharmacy" to "Submitted".'
    ]
    assert act(client, "reject", request) == ["1 rejected."]
