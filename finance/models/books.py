"""The chart of accounts and the journals posted to it.

A journal is posted as a whole and must balance. Deferred constraint triggers on both tables
check that when the transaction commits, regardless of what wrote the rows.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

ZERO = Decimal(0)


class Account(models.Model):
    """An account of the chart of accounts."""

    class Kind(models.TextChoices):
        ASSET = "asset", "Asset"
        LIABILITY = "liability", "Liability"
        EQUITY = "equity", "Equity"
        REVENUE = "revenue", "Revenue"
        EXPENSE = "expense", "Expense"

    code = models.CharField(max_length=10, help_text="Four to ten digits.")
    name_en = models.CharField("name (English)", max_length=200)
    name_th = models.CharField("name (Thai)", max_length=200)
    kind = models.CharField(max_length=10, choices=Kind)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"finance"."accounts"'
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="accounts_code_key"),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[0-9]{4,10}$"), name="accounts_code_check"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["asset", "liability", "equity", "revenue", "expense"]),
                name="accounts_kind_check",
            ),
            models.CheckConstraint(
                condition=~Q(name_th=""), name="accounts_name_th_not_blank_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name_en}"


class Journal(models.Model):
    """A posting to the books: a voucher with at least two lines that balance."""

    number = models.CharField(max_length=30)
    entry_date = models.DateField()
    description = models.CharField(max_length=300)
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversals"
    )
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    posted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = '"finance"."journals"'
        ordering = ["-entry_date", "-id"]
        indexes = [models.Index(fields=["entry_date"], name="journals_entry_date_idx")]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="journals_number_key"),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="journals_reverses_key",
                violation_error_message="The journal is reversed already.",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class JournalLine(models.Model):
    """A debit or a credit of an account."""

    journal = models.ForeignKey(Journal, on_delete=models.CASCADE, related_name="lines")
    line_number = models.PositiveSmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="journal_lines")
    cost_centre = models.ForeignKey(
        "core.CostCentre", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    debit = models.DecimalField(max_digits=14, decimal_places=2, default=ZERO)
    credit = models.DecimalField(max_digits=14, decimal_places=2, default=ZERO)
    memo = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = '"finance"."journal_lines"'
        ordering = ["journal_id", "line_number"]
        indexes = [
            models.Index(
                fields=["account", "journal"],
                include=["debit", "credit"],
                name="journal_lines_account_idx",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["journal", "line_number"], name="journal_lines_key"),
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0),
                name="journal_lines_one_side_check",
                violation_error_message="A line has a debit or a credit, and it is positive.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journal}, line {self.line_number}"
