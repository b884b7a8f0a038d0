"""Changes to journals, invoices and payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum

from core.models import User

from .models import Account, Invoice, InvoiceLine, Journal, JournalLine, Payment

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A journal line to post: a debit or a credit of an account."""

    account: Account
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    cost_centre_id: int | None = None
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem:
    """An invoice line to create."""

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
    entries: Sequence[JournalEntry],
    posted_by: User | None = None,
    reverses: Journal | None = None,
) -> Journal:
    """Post a journal with its lines.

    Raises:
        ValidationError: the journal does not balance, has fewer than two lines or uses an
            inactive account, or its number is taken.
    """
    debit = sum((entry.debit for entry in entries), ZERO)
    credit = sum((entry.credit for entry in entries), ZERO)
    if len(entries) < 2 or debit != credit:
        raise ValidationError(
            "A journal needs at least two lines that balance: "
            f"{len(entries)} lines, debit {debit}, credit {credit}."
        )
    for entry in entries:
        if not entry.account.is_active:
            raise ValidationError(f"The account {entry.account} is inactive.")
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
    *, journal: Journal, number: str, entry_date: date, posted_by: User | None = None
) -> Journal:
    """Reverse a journal by posting its mirror image, because posted journals never change.

    Raises:
        ValidationError: the journal has been reversed before, or the number is taken.
    """
    return journal_post(
        number=number,
        entry_date=entry_date,
        description=f"Reversal of {journal.number}",
        entries=[
            JournalEntry(
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
def invoice_create(
    *,
    supplier_id: int,
    supplier_reference: str,
    cost_centre_id: int,
    issued_on: date,
    due_on: date,
    items: Sequence[InvoiceItem],
    purchase_order_id: int | None = None,
    created_by: User | None = None,
) -> Invoice:
    """Create a supplier's invoice as a draft.

    Args:
        supplier_id: the id of a company of inventory.
        purchase_order_id: the id of a purchase order of inventory.

    Raises:
        ValidationError: there are no items, an item is invalid, or the supplier's invoice with
            that reference exists.
    """
    if not items:
        raise ValidationError("An invoice needs at least one item.")
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
    *, invoice: Invoice, payable: Account, approved_on: date, approved_by: User | None = None
) -> Invoice:
    """Approve a draft and post it: the accounts of its lines against the payable account.

    Raises:
        ValidationError: the invoice is not a draft, or its total is zero.
    """
    invoice = _lock(invoice, expected=Invoice.Status.DRAFT)
    entries = [
        JournalEntry(
            account=line.account,
            debit=line.amount,
            cost_centre_id=invoice.cost_centre_id,
            memo=line.description,
        )
        for line in invoice.lines.select_related("account")
        if line.amount
    ]
    entries.append(
        JournalEntry(account=payable, credit=sum((entry.debit for entry in entries), ZERO))
    )
    invoice.journal = journal_post(
        number=f"AP-{invoice.pk}",
        entry_date=approved_on,
        description=f"Invoice {invoice.supplier_reference}",
        entries=entries,
        posted_by=approved_by,
    )
    return _set_status(invoice, Invoice.Status.APPROVED)


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
    paid_by: User | None = None,
) -> Payment:
    """Pay an approved invoice, in full or in part, and post the payment.

    The invoice is locked, so that concurrent payments cannot exceed its total.

    Raises:
        ValidationError: the invoice is not approved, or the amount exceeds what is left to pay.
    """
    invoice = _lock(invoice, expected=Invoice.Status.APPROVED)
    total = invoice.lines.aggregate(total=Sum("amount", default=ZERO))["total"]
    paid = invoice.payments.aggregate(total=Sum("amount", default=ZERO))["total"]
    if amount > total - paid:
        raise ValidationError({"amount": f"Only {total - paid} of {total} is left to pay."})
    journal = journal_post(
        number=f"PV-{reference}",
        entry_date=paid_on,
        description=f"Payment of invoice {invoice.supplier_reference}",
        entries=[
            JournalEntry(account=payable, debit=amount),
            JournalEntry(account=bank, credit=amount),
        ],
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
        _set_status(invoice, Invoice.Status.PAID)
    return payment


@transaction.atomic
def invoice_cancel(*, invoice: Invoice) -> Invoice:
    """Cancel a draft, so that its reference can be used again.

    Raises:
        ValidationError: the invoice is not a draft; reverse the journal of a posted one.
    """
    return _set_status(_lock(invoice, expected=Invoice.Status.DRAFT), Invoice.Status.CANCELLED)


def _lock(invoice: Invoice, *, expected: Invoice.Status) -> Invoice:
    locked = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if locked.status != expected:
        raise ValidationError(
            f"The status of invoice {locked.supplier_reference} is "
            f'"{locked.get_status_display()}", not "{expected.label}".'
        )
    return locked


def _set_status(invoice: Invoice, status: str) -> Invoice:
    invoice.status = status
    invoice.full_clean()
    invoice.save()
    return invoice
