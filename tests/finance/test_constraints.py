"""Constraints and triggers of finance in the database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from finance.models import Account, Invoice, InvoiceLine, Journal, JournalLine, Payment
from tests.support.business import check_deferred, make_cost_centre

pytestmark = pytest.mark.usefixtures("rolled_back")
DAY = date(2024, 3, 1)


@pytest.fixture
def account(rolled_back):
    return make_account()


def make_account(**fields):
    return Account.objects.create(
        **{"code": "1101", "name_en": "Cash", "name_th": "เงินสด", "kind": "asset", **fields}
    )


def make_journal(account, *amounts, number="JV-1"):
    """A journal with a line for each amount: debits positive, credits negative."""
    journal = Journal.objects.create(number=number, entry_date=DAY, description="x")
    add_lines(journal, account, *amounts)
    return journal


def add_lines(journal, account, *amounts, start=1):
    JournalLine.objects.bulk_create(
        JournalLine(
            journal=journal,
            account=account,
            line_number=line_number,
            debit=max(amount, 0),
            credit=max(-amount, 0),
        )
        for line_number, amount in enumerate(amounts, start)
    )


def make_invoice(**fields):
    defaults = {"supplier_id": 1, "supplier_reference": "A-1", "issued_on": DAY, "due_on": DAY}
    return Invoice.objects.create(cost_centre=make_cost_centre(), **{**defaults, **fields})


def refused(constraint):
    """The deferred check fails, as it would at COMMIT."""
    return pytest.raises(IntegrityError, match=constraint)


def test_a_journal_that_balances_is_accepted(account):
    make_journal(account, 60, 40, -100)
    check_deferred()


@pytest.mark.parametrize("amounts", [(), (100,), (100, -99), (100, -60, -39)])
def test_a_journal_that_does_not_balance_is_refused(account, amounts):
    make_journal(account, *amounts)
    message = rf"does not balance: {len(amounts)} lines, debit \S+, credit \S+"
    with refused(message):
        check_deferred()


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines.filter(line_number=1).update(debit=101),
        lambda lines: lines.filter(line_number=1).delete(),
        lambda lines: lines.all().delete(),
    ],
)
def test_a_journal_cannot_be_put_out_of_balance_later(account, change):
    journal = make_journal(account, 100, -100)
    check_deferred()
    change(JournalLine.objects.filter(journal=journal))
    with refused("does not balance"):
        check_deferred()


def test_a_line_cannot_move_to_another_journal(account):
    first = make_journal(account, 100, 50, -150)
    second = make_journal(account, 100, -100, number="JV-2")
    check_deferred()
    first.lines.filter(line_number=2).update(journal=second, line_number=9)
    with refused("does not balance"):
        check_deferred()


def test_deleting_a_journal_deletes_its_lines(account):
    make_journal(account, 100, -100).delete()
    check_deferred()
    assert not JournalLine.objects.exists()


def test_the_trigger_names_table_and_constraint(account):
    make_journal(account, 100)
    with refused("does not balance") as raised:
        check_deferred()
    diagnosis = raised.value.__cause__.diag
    assert (diagnosis.sqlstate, diagnosis.schema_name) == ("23514", "finance")
    assert (diagnosis.table_name, diagnosis.constraint_name) == ("journals", "journals_balance")


def test_an_unbalanced_journal_does_not_commit(migrated_database):
    account = make_account()
    with refused("does not balance"), transaction.atomic():
        make_journal(account, 100, -99)
    assert not Journal.objects.exists()
    with transaction.atomic():
        make_journal(account, 100, -100)
    assert Journal.objects.exists()


@pytest.mark.parametrize(("debit", "credit"), [(0, 0), (5, 5), (-5, 0), (0, -5)])
def test_a_line_has_one_side(account, debit, credit):
    journal = Journal.objects.create(number="JV-1", entry_date=DAY, description="x")
    with refused("journal_lines_one_side_check"), transaction.atomic():
        JournalLine.objects.create(
            journal=journal, line_number=1, account=account, debit=debit, credit=credit
        )


def test_journals__number_and_reversal_once(account):
    first = make_journal(account)
    with refused("journals_number_key"), transaction.atomic():
        make_journal(account)
    row = {"entry_date": DAY, "description": "x", "reverses": first}
    Journal.objects.create(number="JV-2", **row)
    with refused("journals_reverses_key"), transaction.atomic():
        Journal.objects.create(number="JV-3", **row)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"code": "11"}, "accounts_code_check"),
        ({"code": "11AB"}, "accounts_code_check"),
        ({"kind": "other"}, "accounts_kind_check"),
        ({"name_th": ""}, "accounts_name_th_not_blank_check"),
    ],
)
def test_accounts(fields, constraint):
    with refused(constraint), transaction.atomic():
        make_account(**fields)


def test_accounts__code_once(account):
    with refused("accounts_code_key"), transaction.atomic():
        make_account()


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"status": "lost"}, "invoices_(status|approved_is_posted)_check"),
        ({"status": "approved"}, "invoices_approved_is_posted_check"),
        ({"due_on": DAY - timedelta(days=1)}, "invoices_due_on_check"),
    ],
)
def test_invoices(fields, constraint):
    with refused(constraint), transaction.atomic():
        make_invoice(**fields)


def test_invoices__a_reference_once_unless_cancelled():
    make_invoice(status="cancelled")
    make_invoice()
    make_invoice(supplier_id=2)
    with refused("invoices_supplier_reference_key"), transaction.atomic():
        make_invoice()


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"quantity": 0}, "invoice_lines_quantity_check"),
        ({"unit_price": -1}, "invoice_lines_unit_price_check"),
    ],
)
def test_invoice_lines(account, fields, constraint):
    row = {"invoice": make_invoice(), "line_number": 1, "account": account}
    with refused(constraint), transaction.atomic():
        InvoiceLine.objects.create(**row, **{"quantity": 1, "unit_price": 1, **fields})


def test_invoice_lines__the_amount_follows_from_the_others(account):
    line = InvoiceLine.objects.create(
        invoice=make_invoice(), line_number=1, account=account, quantity=3, unit_price=2
    )
    with pytest.raises(ProgrammingError, match="amount"), transaction.atomic():
        execute('UPDATE "finance"."invoice_lines" SET amount = 7')
    InvoiceLine.objects.update(quantity=4)
    line.refresh_from_db()
    assert line.amount == 8


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"amount": 0}, "payments_amount_check"),
        ({"method": "gold"}, "payments_method_check"),
    ],
)
def test_payments(account, fields, constraint):
    row = {"invoice": make_invoice(), "journal": make_journal(account, 1, -1), "paid_on": DAY}
    with refused(constraint), transaction.atomic():
        Payment.objects.create(**row, **{"amount": 1, "reference": "P-1", **fields})


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
