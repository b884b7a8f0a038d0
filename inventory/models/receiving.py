"""Receipts of deliveries, with their items and inspectors."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from domain_migrations.fields import DomainReference

from .base import Recorded
from .places import Location
from .purchasing import PurchaseOrder, PurchaseOrderItem
from .stock import DrugLot


class Receipt(Recorded):
    """A delivery for an order; posting it adds its items to stock."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        INSPECTED = "inspected", "Inspected"
        POSTED = "posted", "Posted to stock"

    number = models.CharField("number", max_length=30)
    order = models.ForeignKey(
        PurchaseOrder,
        on_delete=models.PROTECT,
        related_name="receipts",
        verbose_name="purchase order",
    )
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="receipts", verbose_name="location"
    )
    received_on = models.DateField("received on")
    delivery_note = models.CharField("delivery note", max_length=50, blank=True)
    finance_invoice_id = DomainReference(
        "finance.Invoice",
        "invoice",
        null=True,
        blank=True,
        help_text="The id of the vendor's invoice in finance; resolved in code.",
    )
    status = models.CharField("status", max_length=20, choices=Status, default=Status.DRAFT)
    posted_at = models.DateTimeField("posted at", null=True, blank=True, editable=False)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="posted by",
    )

    class Meta:
        db_table = '"inventory"."receipts"'
        verbose_name = "receipt"
        verbose_name_plural = "receipts"
        ordering = ["-received_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="receipts_number_key"),
            models.CheckConstraint(
                condition=~Q(status="posted") | Q(posted_by__isnull=False, posted_at__isnull=False),
                name="receipts_posted_check",
                violation_error_message="A posted receipt needs the person who posted it.",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ReceiptItem(models.Model):
    """Packs of one lot in a delivery."""

    receipt = models.ForeignKey(
        Receipt, on_delete=models.CASCADE, related_name="items", verbose_name="receipt"
    )
    order_item = models.ForeignKey(
        PurchaseOrderItem,
        on_delete=models.PROTECT,
        related_name="receipt_items",
        verbose_name="ordered item",
    )
    lot_number = models.CharField("lot number", max_length=50)
    manufactured_on = models.DateField("manufactured on", null=True, blank=True)
    expires_on = models.DateField("expires on")
    packs = models.IntegerField("packs", validators=[MinValueValidator(1)])
    lot = models.ForeignKey(
        DrugLot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="receipt_items",
        editable=False,
        verbose_name="lot",
    )

    class Meta:
        db_table = '"inventory"."receipt_items"'
        verbose_name = "receipt item"
        verbose_name_plural = "receipt items"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["receipt", "order_item", "lot_number", "expires_on"],
                name="receipt_items_receipt_lot_key",
            ),
            models.CheckConstraint(condition=Q(packs__gt=0), name="receipt_items_packs_check"),
            models.CheckConstraint(
                condition=Q(manufactured_on__isnull=True) | Q(manufactured_on__lt=F("expires_on")),
                name="receipt_items_expires_on_check",
                violation_error_message="A lot expires after the day it was made.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot_number}: {self.packs}"


class ReceiptInspector(models.Model):
    """An employee on the inspection committee of a delivery."""

    class Role(models.TextChoices):
        CHAIR = "chair", "Chair"
        MEMBER = "member", "Member"

    receipt = models.ForeignKey(
        Receipt, on_delete=models.CASCADE, related_name="inspectors", verbose_name="receipt"
    )
    employee_id = DomainReference(
        "hr.Employee", "employee", help_text="The id of the employee in hr; resolved in code."
    )
    role = models.CharField("role", max_length=10, choices=Role, default=Role.MEMBER)
    signed_at = models.DateTimeField("signed at", null=True, blank=True)

    class Meta:
        db_table = '"inventory"."receipt_inspectors"'
        verbose_name = "receipt inspector"
        verbose_name_plural = "receipt inspectors"
        ordering = ["receipt", "role", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["receipt", "employee_id"], name="receipt_inspectors_receipt_employee_key"
            ),
            models.UniqueConstraint(
                fields=["receipt"],
                condition=Q(role="chair"),
                name="receipt_inspectors_chair_key",
                violation_error_message="An inspection committee has one chair.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, employee {self.employee_id}"
