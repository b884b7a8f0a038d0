"""The admin pages of finance."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps

from finance import services
from finance.models import Account, Invoice, Journal, Payment
from finance.services import InvoiceItem
from tests.support.business import (
    admin_models,
    admin_url,
    count_queries,
    make_cost_centre,
    make_user,
    superuser_client,
)

pytestmark = pytest.mark.usefixtures("rolled_back")
MODELS = [Account, Invoice, Journal, Payment]
DAY = date(2024, 3, 1)


def make_account(code):
    return Account.objects.create(code=code, name_en="Account", name_th="บัญชี", kind="asset")


def make_rows(start, count, **fields):
    """Fill every table of the domain: invoices approved and paid."""
    for number in range(start, start + count):
        account = make_account(f"{1000 + number}")
        invoice = enter(account, f"A-{number}", **{"supplier_id": number, **fields})
        by = make_user()
        services.invoice_approve(invoice=invoice, payable=account, approved_on=DAY, approved_by=by)
        services.invoice_pay(
            invoice=invoice,
            amount=Decimal(6),
            paid_on=DAY,
            reference=f"P-{number}",
            payable=account,
            bank=account,
            paid_by=by,
        )


def enter(account, reference, **fields):
    item = InvoiceItem(description="x", account=account, quantity=Decimal(3), unit_price=Decimal(4))
    return services.invoice_create(
        supplier_reference=reference,
        cost_centre_id=make_cost_centre().pk,
        issued_on=DAY,
        due_on=DAY,
        items=[item],
        **fields,
    )


def test_every_model_with_pages_is_tried():
    assert set(admin_models("finance")) == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_pages_open(model):
    make_rows(1, 1)
    client = superuser_client()
    assert client.get(admin_url(model, "changelist"), {"q": "1"}).status_code == 200
    change = admin_url(model, "change", model.objects.first().pk)
    assert client.get(change).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_however_long_it_is(model):
    client = superuser_client()
    make_rows(1, 2)
    few = count_queries(client, admin_url(model, "changelist"))
    make_rows(3, 8)
    assert count_queries(client, admin_url(model, "changelist")) == few


@pytest.mark.parametrize("model", [Journal, Payment])
def test_posted_journals_and_payments_are_read_only(model):
    make_rows(1, 1)
    client, pk = superuser_client(), model.objects.first().pk
    assert client.get(admin_url(model, "add")).status_code == 403
    assert client.get(admin_url(model, "delete", pk)).status_code == 403
    assert client.post(admin_url(model, "change", pk), {}).status_code == 403


def test_a_draft_can_be_edited_and_a_booked_invoice_cannot():
    client, account = superuser_client(), make_account("5101")
    draft = enter(account, "A-1", supplier_id=1)
    assert client.get(admin_url(Invoice, "add")).status_code == 200
    assert 'name="_save"' in client.get(admin_url(Invoice, "change", draft.pk)).content.decode()
    services.invoice_approve(invoice=draft, payable=account, approved_on=DAY)
    page = client.get(admin_url(Invoice, "change", draft.pk)).content.decode()
    assert 'name="_save"' not in page


def test_totals_and_the_supplier_of_another_domain_are_shown():
    company = apps.get_model("inventory.Company").objects.create(code="GPO", name="อภ.")
    make_rows(1, 1, supplier_id=company.pk, purchase_order_id=404)
    page = superuser_client().get(admin_url(Invoice, "changelist")).content.decode()
    url = f"/admin/inventory/company/{company.pk}/change/"
    assert f'<td class="field-supplier_id"><a href="{url}">อภ.</a></td>' in page
    assert '<td class="field-purchase_order_id">404 (not found)</td>' in page
    assert '<td class="field-total">12.00</td><td class="field-paid">6.00</td>' in page


def invoice_data(account):
    """The form of an invoice with one line, as the admin posts it."""
    data = {"supplier_id": 7, "supplier_reference": "A-1", "purchase_order_id": ""}
    data |= {"cost_centre": make_cost_centre().pk, "issued_on": DAY, "due_on": DAY}
    data |= {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-line_number": 1}
    data |= {"lines-0-description": "x", "lines-0-account": account.pk}
    return data | {"lines-0-quantity": "2", "lines-0-unit_price": "3.5"}


def test_an_invoice_is_added_with_its_lines():
    response = superuser_client().post(
        admin_url(Invoice, "add"), invoice_data(make_account("5101"))
    )
    assert response.status_code == 302, response.context["errors"]
    invoice = Invoice.objects.get()
    assert invoice.created_by.is_superuser
    assert invoice.lines.get().amount == 7


def test_an_invoice_that_exists_is_refused_with_a_sentence():
    client, data = superuser_client(), invoice_data(make_account("5101"))
    assert client.post(admin_url(Invoice, "add"), data).status_code == 302
    page = client.post(admin_url(Invoice, "add"), data)
    assert "This invoice of the supplier is entered already." in page.content.decode()
    assert Invoice.objects.count() == 1
