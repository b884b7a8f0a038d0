"""Queries on accounts and invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connections, router
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from .models import Account, Invoice, InvoiceLine, Payment

TRIAL_BALANCE = """
SELECT code, name_en, name_th, kind, debit, credit, balance
  FROM "finance"."trial_balance"
 ORDER BY code
"""

MONEY = DecimalField(max_digits=14, decimal_places=2)


class AccountBalance(NamedTuple):
    """The totals of an account; the balance is debit minus credit."""

    code: str
    name_en: str
    name_th: str
    kind: str
    debit: Decimal
    credit: Decimal
    balance: Decimal


def account_balance_list() -> list[AccountBalance]:
    """Return the trial balance: all accounts with their totals, from the view for reports."""
    with connections[router.db_for_read(Account)].cursor() as cursor:
        cursor.execute(TRIAL_BALANCE)
        return [AccountBalance(*row) for row in cursor.fetchall()]


def invoice_list() -> QuerySet[Invoice]:
    """Return all invoices, annotated with ``total`` and ``paid``."""
    lines = InvoiceLine.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    payments = Payment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    zero = Decimal(0)
    return Invoice.objects.annotate(
        total=Coalesce(Subquery(lines.values(sum=Sum("amount"))), zero, output_field=MONEY),
        paid=Coalesce(Subquery(payments.values(sum=Sum("amount"))), zero, output_field=MONEY),
    )


def invoice_due_list(*, day: date) -> QuerySet[Invoice]:
    """Return the unpaid invoices that are due by a day, the earliest first."""
    return invoice_list().filter(status=Invoice.Status.APPROVED, due_on__lte=day)
