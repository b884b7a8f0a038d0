"""Departments' requests for budget money, with their comments and audit trail."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .base import Recorded, fiscal_year_field, fiscal_year_range
from .budget import Budget
from .catalogue import DrugGeneric
from .places import Department


class BudgetRequest(Recorded):
    """A department's request for money of a budget in a fiscal year."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        REVIEWED = "reviewed", "Reviewed by the pharmacy"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    number = models.CharField("number", max_length=30)
    fiscal_year = fiscal_year_field()
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        related_name="budget_requests",
        verbose_name="department",
    )
    budget = models.ForeignKey(
        Budget, on_delete=models.PROTECT, related_name="requests", verbose_name="budget"
    )
    justification = models.TextField("justification", blank=True)
    status = models.CharField("status", max_length=20, choices=Status, default=Status.DRAFT)
    approved_amount = models.DecimalField(
        "approved amount", max_digits=14, decimal_places=2, null=True, blank=True
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name="updated by",
        help_text="Whom the audit trail names for the next change of status.",
    )

    class Meta:
        db_table = '"inventory"."budget_requests"'
        verbose_name = "budget request"
        verbose_name_plural = "budget requests"
        ordering = ["-fiscal_year", "-created_at"]
        permissions = [("approve_budgetrequest", "Can approve budget requests")]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="budget_requests_number_key"),
            fiscal_year_range("budget_requests_fiscal_year_check"),
            models.CheckConstraint(
                condition=(Q(status="approved") & Q(approved_amount__gte=0))
                | (~Q(status="approved") & Q(approved_amount__isnull=True)),
                name="budget_requests_approved_amount_check",
                violation_error_message="Approved requests alone have an amount.",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "fiscal_year"], name="budget_requests_status_idx")
        ]

    def __str__(self) -> str:
        return self.number


class BudgetRequestItem(models.Model):
    """A quantity of a generic, in units of issue, and its price."""

    request = models.ForeignKey(
        BudgetRequest, on_delete=models.CASCADE, related_name="items", verbose_name="request"
    )
    generic = models.ForeignKey(
        DrugGeneric,
        on_delete=models.PROTECT,
        related_name="budget_request_items",
        verbose_name="generic",
    )
    quantity = models.BigIntegerField("quantity", validators=[MinValueValidator(1)])
    unit_price = models.DecimalField(
        "price per unit", max_digits=12, decimal_places=4, validators=[MinValueValidator(0)]
    )

    class Meta:
        db_table = '"inventory"."budget_request_items"'
        verbose_name = "budget request item"
        verbose_name_plural = "budget request items"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "generic"], name="budget_request_items_request_generic_key"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0),
                name="budget_request_items_quantity_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.generic}"

    @property
    def amount(self) -> Decimal:
        """The cost of the item, in baht and satang."""
        return (self.unit_price * self.quantity).quantize(Decimal("0.01"))


class BudgetRequestComment(Recorded):
    """A comment on a request."""

    request = models.ForeignKey(
        BudgetRequest, on_delete=models.CASCADE, related_name="comments", verbose_name="request"
    )
    body = models.TextField("comment")

    class Meta:
        db_table = '"inventory"."budget_request_comments"'
        verbose_name = "budget request comment"
        verbose_name_plural = "budget request comments"
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(body=""),
                name="budget_request_comments_body_check",
                violation_error_message="Write the comment.",
            ),
        ]

    def __str__(self) -> str:
        return self.body[:60]


class BudgetRequestAudit(models.Model):
    """A change of a request's status, written only by a trigger."""

    request = models.ForeignKey(
        BudgetRequest, on_delete=models.CASCADE, related_name="audit_trail", verbose_name="request"
    )
    old_status = models.CharField("from", max_length=20, blank=True)
    new_status = models.CharField("to", max_length=20)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="changed by",
    )
    changed_at = models.DateTimeField("changed at", default=timezone.now)

    class Meta:
        db_table = '"inventory"."budget_request_audits"'
        verbose_name = "budget request audit entry"
        verbose_name_plural = "budget request audit trail"
        ordering = ["changed_at", "id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.old_status or 'new'} → {self.new_status}"
