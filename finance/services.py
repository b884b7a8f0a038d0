"""Changes to the books: posting journals, and approving and paying invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum

from .models import Account, Invoice, InvoiceLine, Journal, JournalLine, Payment

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line to post: an amount on one side of an account."""

    account: Account
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    cost_centre_id: int | None = None
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of an invoice to enter."""

    description: str
    account: Account
    quantity: Decimal
    unit_price: Decimal


@transaction.atomic
def journal_post(
    *,
    number: str,
    entry_date: date,
    description: str,
    entries: Sequence[Entry],
    posted_by: Any = None,
    reverses: Journal | None = None,
) -> Journal:
    """Post a journal with its lines.

    Raises:
        ValidationError: it does not balance, has fewer than two lines, uses an account that is
            not in use, or its number is taken.
    """
    debit = sum((entry.debit for entry in entries), ZERO)
    credit = sum((entry.credit for entry in entries), ZERO)
    if len(entries) < 2 or debit != credit:
        raise ValidationError(
            f"A journal needs two lines or more that balance: "
            f"{len(entries)} lines, debit {debit}, credit {credit}."
        )
    for entry in entries:
        if not entry.account.is_active:
            raise ValidationError(f"The account {entry.account} is not in use.")
    journal = Journal(
        number=number,
        entry_date=entry_date,
        description=description,
        posted_by=posted_by,
        reverses=reverses,
    )
    journal.full_clean()
    journal.save()
    for line_number, entry in enumerate(entries, start=1):
        line = JournalLine(
            journal=journal,
            line_number=line_number,
            account=entry.account,
            cost_centre_id=entry.cost_centre_id,
            debit=entry.debit,
            credit=entry.credit,
            memo=entry.memo,
        )
        line.full_clean()
        line.save()
    return journal


def journal_reverse(
    *, journal: Journal, number: str, entry_date: date, posted_by: Any = None
) -> Journal:
    """Undo a journal by posting its mirror image; what is posted is never changed.

    Raises:
        ValidationError: it is reversed already, or the number is taken.
    """
    return journal_post(
        number=number,
        entry_date=entry_date,
        description=f"Reversal of {journal.number}",
        entries=[
            Entry(
                account=line.account,
                debit=line.credit,
                credit=line.debit,
                cost_centre_id=line.cost_centre_id,
                memo=line.memo,
            )
            for line in journal.lines.select_related("account")
        ],
        posted_by=posted_by,
        reverses=journal,
    )


@transaction.atomic
def invoice_enter(
    *,
    supplier_id: int,
    supplier_reference: str,
    cost_centre_id: int,
    issued_on: date,
    due_on: date,
    items: Sequence[Item],
    purchase_order_id: int | None = None,
    created_by: Any = None,
) -> Invoice:
    """Enter a supplier's invoice as a draft.

    Args:
        supplier_id: a company of inventory.
        purchase_order_id: a purchase order of inventory.

    Raises:
        ValidationError: nothing is billed, a line is wrong, or the supplier's invoice of that
            reference is entered already.
    """
    if not items:
        raise ValidationError("An invoice needs a line.")
    invoice = Invoice(
        supplier_id=supplier_id,
        supplier_reference=supplier_reference,
        purchase_order_id=purchase_order_id,
        cost_centre_id=cost_centre_id,
        issued_on=issued_on,
        due_on=due_on,
        created_by=created_by,
    )
    invoice.full_clean()
    invoice.save()
    for line_number, item in enumerate(items, start=1):
        line = InvoiceLine(
            invoice=invoice,
            line_number=line_number,
            description=item.description,
            account=item.account,
            quantity=item.quantity,
            unit_price=item.unit_price,
        )
        line.full_clean()
        line.save()
    return invoice


@transaction.atomic
def invoice_approve(
    *, invoice: Invoice, payable: Account, approved_on: date, approved_by: Any = None
) -> Invoice:
    """Approve a draft and book what is owed: each line's account against the payable one.

    Raises:
        ValidationError: it is no draft, or there is nothing to pay.
    """
    invoice = _locked(invoice, Invoice.Status.DRAFT)
    entries = [
        Entry(
            account=line.account,
            debit=line.amount,
            cost_centre_id=invoice.cost_centre_id,
            memo=line.description,
        )
        for line in invoice.lines.select_related("account")
        if line.amount
    ]
    entries.append(Entry(account=payable, credit=sum((entry.debit for entry in entries), ZERO)))
    invoice.journal = journal_post(
        number=f"AP-{invoice.pk}",
        entry_date=approved_on,
        description=f"Invoice {invoice.supplier_reference}",
        entries=entries,
        posted_by=approved_by,
    )
    return _save(invoice, Invoice.Status.APPROVED)


@transaction.atomic
def invoice_pay(
    *,
    invoice: Invoice,
    amount: Decimal,
    paid_on: date,
    reference: str,
    payable: Account,
    bank: Account,
    method: str = Payment.Method.TRANSFER,
    paid_by: Any = None,
) -> Payment:
    """Pay an approved invoice, in full or in part, and book the payment.

    The invoice is locked, so that two payments at once cannot both take what is left.

    Raises:
        ValidationError: it is not approved, or more would be paid than is owed.
    """
    invoice = _locked(invoice, Invoice.Status.APPROVED)
    total = invoice.lines.aggregate(total=Sum("amount", default=ZERO))["total"]
    paid = invoice.payments.aggregate(total=Sum("amount", default=ZERO))["total"]
    if amount > total - paid:
        raise ValidationError({"amount": f"{total - paid} of {total} is left to pay."})
    journal = journal_post(
        number=f"PV-{reference}",
        entry_date=paid_on,
        description=f"Payment of invoice {invoice.supplier_reference}",
        entries=[Entry(account=payable, debit=amount), Entry(account=bank, credit=amount)],
        posted_by=paid_by,
    )
    payment = Payment(
        invoice=invoice,
        paid_on=paid_on,
        amount=amount,
        method=method,
        reference=reference,
        journal=journal,
        paid_by=paid_by,
    )
    payment.full_clean()
    payment.save()
    if amount == total - paid:
        _save(invoice, Invoice.Status.PAID)
    return payment


@transaction.atomic
def invoice_cancel(*, invoice: Invoice) -> Invoice:
    """Cancel a draft, so that it may be entered anew.

    Raises:
        ValidationError: it is no draft: what is booked is reversed instead.
    """
    return _save(_locked(invoice, Invoice.Status.DRAFT), Invoice.Status.CANCELLED)


def _locked(invoice: Invoice, expected: str) -> Invoice:
    locked = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if locked.status != expected:
        raise ValidationError(f"The invoice is {locked.status}, not {expected}.")
    return locked


def _save(invoice: Invoice, status: str) -> Invoice:
    invoice.status = status
    invoice.full_clean()
    invoice.save()
    return invoice
