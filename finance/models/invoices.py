"""Suppliers' invoices, their lines and their payments."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round

from domain_migrations.fields import DomainReference

from .books import Account, Journal


class Invoice(models.Model):
    """A supplier's invoice; the supplier is a company of inventory, stored by its id."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        APPROVED = "approved", "Approved"
        PAID = "paid", "Paid"
        CANCELLED = "cancelled", "Cancelled"

    supplier_id = DomainReference(
        "inventory.Company",
        "supplier",
        help_text="The id of the company in inventory; resolved in code.",
    )
    supplier_reference = models.CharField(
        max_length=50, help_text="The number that the supplier gave the invoice."
    )
    purchase_order_id = DomainReference(
        "inventory.PurchaseOrder",
        "purchase order",
        null=True,
        blank=True,
        help_text="The id of the purchase order in inventory; resolved in code.",
    )
    cost_centre = models.ForeignKey("core.CostCentre", on_delete=models.PROTECT, related_name="+")
    issued_on = models.DateField()
    due_on = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    journal = models.ForeignKey(
        Journal, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = '"finance"."invoices"'
        ordering = ["due_on", "id"]
        indexes = [
            models.Index(
                fields=["due_on"], condition=Q(status="approved"), name="invoices_unpaid_idx"
            ),
            models.Index(fields=["purchase_order_id"], name="invoices_purchase_order_id_idx"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier_id", "supplier_reference"],
                condition=~Q(status="cancelled"),
                name="invoices_supplier_reference_key",
                violation_error_message="This invoice of the supplier is entered already.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "approved", "paid", "cancelled"]),
                name="invoices_status_check",
            ),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("issued_on")), name="invoices_due_on_check"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"]) | Q(journal__isnull=False),
                name="invoices_approved_is_posted_check",
            ),
        ]

    def __str__(self) -> str:
        return self.supplier_reference


class InvoiceLine(models.Model):
    """A line of an invoice."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    line_number = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoice_lines")
    quantity = models.DecimalField(max_digits=12, decimal_places=3)
    unit_price = models.DecimalField(max_digits=14, decimal_places=4)
    amount = models.GeneratedField(
        expression=Round(F("quantity") * F("unit_price"), 2),
        output_field=models.DecimalField(max_digits=14, decimal_places=2),
        db_persist=True,
    )

    class Meta:
        db_table = '"finance"."invoice_lines"'
        ordering = ["invoice_id", "line_number"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line_number"], name="invoice_lines_key"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="invoice_lines_quantity_check"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0), name="invoice_lines_unit_price_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice}, line {self.line_number}"


class Payment(models.Model):
    """A payment of an invoice, with the journal that books it."""

    class Method(models.TextChoices):
        TRANSFER = "transfer", "Bank transfer"
        CHEQUE = "cheque", "Cheque"
        CASH = "cash", "Cash"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    paid_on = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    method = models.CharField(max_length=10, choices=Method, default=Method.TRANSFER)
    reference = models.CharField(max_length=25, help_text="Our own number for the payment.")
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="payment")
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        db_table = '"finance"."payments"'
        ordering = ["-paid_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="payments_reference_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_amount_check"),
            models.CheckConstraint(
                condition=Q(method__in=["transfer", "cheque", "cash"]),
                name="payments_method_check",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
