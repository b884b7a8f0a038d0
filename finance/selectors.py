"""What other code asks of finance."""

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


class TrialBalanceLine(NamedTuple):
    """What was posted to an account; the balance is debit less credit."""

    code: str
    name_en: str
    name_th: str
    kind: str
    debit: Decimal
    credit: Decimal
    balance: Decimal


def trial_balance() -> list[TrialBalanceLine]:
    """Return every account with its totals, from the view that reports read too."""
    with connections[router.db_for_read(Account)].cursor() as cursor:
        cursor.execute(TRIAL_BALANCE)
        return [TrialBalanceLine(*row) for row in cursor.fetchall()]


def invoices_with_totals() -> QuerySet[Invoice]:
    """Return invoices with ``total`` and ``paid``, in one query."""
    billed = InvoiceLine.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    paid = Payment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    nothing = Decimal(0)
    return Invoice.objects.annotate(
        total=Coalesce(Subquery(billed.values(sum=Sum("amount"))), nothing, output_field=MONEY),
        paid=Coalesce(Subquery(paid.values(sum=Sum("amount"))), nothing, output_field=MONEY),
    )


def invoices_due(*, day: date) -> QuerySet[Invoice]:
    """Return the approved invoices that are due on a day or before, the oldest first."""
    return invoices_with_totals().filter(status=Invoice.Status.APPROVED, due_on__lte=day)
