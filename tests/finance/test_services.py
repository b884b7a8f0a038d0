"""Services and selectors of finance."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from finance import selectors, services
from finance.models import Account, Invoice, Journal, Payment
from finance.services import InvoiceItem, JournalEntry
from tests.support.business import check_deferred, make_cost_centre, make_user

pytestmark = pytest.mark.usefixtures("rolled_back")
Status = Invoice.Status
DAY = date(2024, 3, 1)


@pytest.fixture
def chart(rolled_back):
    """The accounts that the tests post to, by their purpose."""
    rows = {
        "bank": ("1102", "Bank", "ธนาคาร", Account.Kind.ASSET),
        "payable": ("2101", "Payables", "เจ้าหนี้", Account.Kind.LIABILITY),
        "drugs": ("5101", "Drugs", "ค่ายา", Account.Kind.EXPENSE),
    }
    return {
        use: Account.objects.create(code=code, name_en=english, name_th=thai, kind=kind)
        for use, (code, english, thai, kind) in rows.items()
    }


def post(chart, number="JV-1", debit=100, credit=100):
    return services.journal_post(
        number=number,
        entry_date=DAY,
        description="Drugs for the ward",
        entries=[
            JournalEntry(account=chart["drugs"], debit=Decimal(debit)),
            JournalEntry(account=chart["bank"], credit=Decimal(credit)),
        ],
        posted_by=make_user(),
    )


def messages(raised):
    return " ".join(raised.value.messages)


def test_post(chart):
    journal = post(chart)
    check_deferred()
    lines = journal.lines.values_list("line_number", "account__code", "debit", "credit")
    assert list(lines) == [(1, "5101", 100, 0), (2, "1102", 0, 100)]


def test_post__does_not_balance(chart):
    with pytest.raises(ValidationError) as raised:
        post(chart, credit=99)
    assert messages(raised) == (
        "A journal needs at least two lines that balance: 2 lines, debit 100, credit 99."
    )
    assert not Journal.objects.exists()


def test_post__one_line_of_nothing(chart):
    with pytest.raises(ValidationError):
        services.journal_post(
            number="JV-1",
            entry_date=DAY,
            description="x",
            entries=[JournalEntry(account=chart["bank"])],
        )


def test_post__an_invalid_line_rolls_everything_back(chart):
    with pytest.raises(ValidationError) as raised:
        post(chart, debit=-100, credit=-100)
    assert messages(raised) == "A line has a debit or a credit, and it is positive."
    assert not Journal.objects.exists()


def test_post__account_not_in_use(chart):
    chart["bank"].is_active = False
    with pytest.raises(ValidationError) as raised:
        post(chart)
    assert messages(raised) == "The account 1102 Bank is inactive."


def test_post__number_exists(chart):
    post(chart)
    with pytest.raises(ValidationError):
        post(chart)


def test_reverse(chart):
    journal = post(chart)
    services.journal_reverse(journal=journal, number="JV-2", entry_date=DAY)
    check_deferred()
    assert {line.balance for line in selectors.account_balance_list()} == {Decimal(0)}
    with pytest.raises(ValidationError) as raised:
        services.journal_reverse(journal=journal, number="JV-3", entry_date=DAY)
    assert messages(raised) == "The journal is reversed already."


def enter(chart, reference="A-1", **fields):
    return services.invoice_create(
        **{
            "supplier_id": 7,
            "supplier_reference": reference,
            "cost_centre_id": make_cost_centre().pk,
            "issued_on": DAY,
            "due_on": date(2024, 3, 31),
            "items": [
                InvoiceItem(
                    description="Paracetamol 500 mg",
                    account=chart["drugs"],
                    quantity=Decimal("3"),
                    unit_price=Decimal("33.335"),
                ),
                InvoiceItem(
                    description="Delivery",
                    account=chart["drugs"],
                    quantity=Decimal("1"),
                    unit_price=Decimal("20"),
                ),
            ],
            **fields,
        }
    )


def pay(chart, invoice, amount, reference="P-1"):
    return services.invoice_pay(
        invoice=invoice,
        amount=Decimal(amount),
        paid_on=DAY,
        reference=reference,
        payable=chart["payable"],
        bank=chart["bank"],
        paid_by=make_user(),
    )


@pytest.fixture
def approved(chart):
    return services.invoice_approve(
        invoice=enter(chart), payable=chart["payable"], approved_on=DAY, approved_by=make_user()
    )


def test_enter(chart):
    invoice = enter(chart)
    amounts = invoice.lines.values_list("line_number", "amount")
    assert list(amounts) == [(1, Decimal("100.01")), (2, Decimal("20.00"))]
    assert invoice.status == Status.DRAFT


def test_enter__twice(chart):
    first = enter(chart)
    with pytest.raises(ValidationError) as raised:
        enter(chart)
    assert messages(raised) == "This invoice of the supplier is entered already."
    services.invoice_cancel(invoice=first)
    assert enter(chart).pk


def test_enter__nothing_billed(chart):
    with pytest.raises(ValidationError) as raised:
        enter(chart, items=[])
    assert messages(raised) == "An invoice needs at least one item."


def test_approve_books_the_liability(chart, approved):
    check_deferred()
    assert approved.status == Status.APPROVED
    lines = approved.journal.lines.values_list("account__code", "debit", "credit")
    assert list(lines) == [
        ("5101", Decimal("100.01"), 0),
        ("5101", Decimal("20.00"), 0),
        ("2101", 0, Decimal("120.01")),
    ]


def test_approve__not_a_draft(chart, approved):
    with pytest.raises(ValidationError) as raised:
        services.invoice_approve(invoice=approved, payable=chart["payable"], approved_on=DAY)
    assert messages(raised) == 'The status of invoice A-1 is "Approved", not "Draft".'
    with pytest.raises(ValidationError):
        services.invoice_cancel(invoice=approved)


def test_pay_in_two_parts(chart, approved):
    pay(chart, approved, "100")
    due = selectors.invoice_due_list(day=date(2024, 3, 31)).get()
    assert (due.total, due.paid) == (Decimal("120.01"), Decimal(100))
    pay(chart, approved, "20.01", reference="P-2")
    check_deferred()
    approved.refresh_from_db()
    assert approved.status == Status.PAID
    assert not selectors.invoice_due_list(day=date(2024, 3, 31)).exists()
    balances = {line.code: line.balance for line in selectors.account_balance_list()}
    assert balances == {"1102": Decimal("-120.01"), "2101": 0, "5101": Decimal("120.01")}


def test_pay__more_than_is_owed(chart, approved):
    pay(chart, approved, "100")
    with pytest.raises(ValidationError) as raised:
        pay(chart, approved, "20.02", reference="P-2")
    assert messages(raised) == "Only 20.01 of 120.01 is left to pay."
    assert Payment.objects.count() == 1
    assert Journal.objects.filter(number__startswith="PV-").count() == 1


def test_pay__not_approved(chart):
    with pytest.raises(ValidationError) as raised:
        pay(chart, enter(chart), "1")
    assert messages(raised) == 'The status of invoice A-1 is "Draft", not "Approved".'


def test_pay__nothing(chart, approved):
    with pytest.raises(ValidationError):
        pay(chart, approved, "0")
