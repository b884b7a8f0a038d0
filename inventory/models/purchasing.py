"""Departments' purchase requests and orders to vendors."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from .base import Recorded, fiscal_year_field, fiscal_year_range
from .catalogue import Drug, DrugGeneric, PackRatio
from .places import Company, Department


class ProcurementMethod(models.TextChoices):
    """The procurement methods of the Public Procurement Act."""

    SPECIFIC = "specific", "Specific method"
    SELECTION = "selection", "Selection method"
    E_MARKET = "e_market", "e-market"
    E_BIDDING = "e_bidding", "e-bidding"


class PurchaseRequest(Recorded):
    """A request to buy generics from a budget, which the director approves or rejects."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        ORDERED = "ordered", "Ordered"

    number = models.CharField("number", max_length=30)
    fiscal_year = fiscal_year_field()
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        related_name="purchase_requests",
        verbose_name="department",
    )
    allocation = models.ForeignKey(
        "inventory.BudgetAllocation",
        on_delete=models.PROTECT,
        related_name="purchase_requests",
        verbose_name="budget allocation",
    )
    reason = models.TextField("reason", blank=True)
    needed_by = models.DateField("needed by", null=True, blank=True)
    status = models.CharField("status", max_length=20, choices=Status, default=Status.DRAFT)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="decided by",
    )
    decided_at = models.DateTimeField("decided at", null=True, blank=True, editable=False)

    class Meta:
        db_table = '"inventory"."purchase_requests"'
        verbose_name = "purchase request"
        verbose_name_plural = "purchase requests"
        ordering = ["-created_at"]
        permissions = [("approve_purchaserequest", "Can approve purchase requests")]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="purchase_requests_number_key"),
            fiscal_year_range("purchase_requests_fiscal_year_check"),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "rejected", "ordered"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="purchase_requests_decision_check",
                violation_error_message="A decision needs the person who took it.",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "department"], name="purchase_requests_status_idx"),
        ]

    def __str__(self) -> str:
        return self.number


class PurchaseRequestItem(models.Model):
    """A requested quantity of a generic, in units of issue."""

    request = models.ForeignKey(
        PurchaseRequest, on_delete=models.CASCADE, related_name="items", verbose_name="request"
    )
    generic = models.ForeignKey(
        DrugGeneric,
        on_delete=models.PROTECT,
        related_name="purchase_request_items",
        verbose_name="generic",
    )
    quantity = models.BigIntegerField("quantity", validators=[MinValueValidator(1)])
    unit_price = models.DecimalField(
        "estimated price per unit",
        max_digits=12,
        decimal_places=4,
        validators=[MinValueValidator(0)],
    )

    class Meta:
        db_table = '"inventory"."purchase_request_items"'
        verbose_name = "purchase request item"
        verbose_name_plural = "purchase request items"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "generic"], name="purchase_request_items_request_generic_key"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0),
                name="purchase_request_items_quantity_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.generic}"

    @property
    def amount(self) -> Decimal:
        """The estimated cost of the item, in baht and satang."""
        return (self.unit_price * self.quantity).quantize(Decimal("0.01"))


class PurchaseOrder(Recorded):
    """An order to one vendor."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SENT = "sent", "Sent"
        PARTIAL = "partial", "Partly received"
        RECEIVED = "received", "Received"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField("number", max_length=30)
    request = models.ForeignKey(
        PurchaseRequest,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name="purchase request",
    )
    vendor = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="purchase_orders", verbose_name="vendor"
    )
    contract = models.ForeignKey(
        "inventory.Contract",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="purchase_orders",
        verbose_name="contract",
    )
    method = models.CharField(
        "procurement method",
        max_length=20,
        choices=ProcurementMethod,
        default=ProcurementMethod.SPECIFIC,
    )
    ordered_on = models.DateField("ordered on")
    due_on = models.DateField("delivery due on", null=True, blank=True)
    status = models.CharField("status", max_length=20, choices=Status, default=Status.DRAFT)
    total_amount = models.DecimalField(
        "total", max_digits=14, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )

    class Meta:
        db_table = '"inventory"."purchase_orders"'
        verbose_name = "purchase order"
        verbose_name_plural = "purchase orders"
        ordering = ["-ordered_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="purchase_orders_number_key"),
            models.CheckConstraint(
                condition=Q(due_on__isnull=True) | Q(due_on__gte=F("ordered_on")),
                name="purchase_orders_due_on_check",
                violation_error_message="An order cannot be due before it is placed.",
            ),
            models.CheckConstraint(
                condition=Q(total_amount__gte=0), name="purchase_orders_total_amount_check"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PurchaseOrderItem(models.Model):
    """A number of packs of a drug, and the number of them that have been received."""

    order = models.ForeignKey(
        PurchaseOrder, on_delete=models.CASCADE, related_name="items", verbose_name="order"
    )
    drug = models.ForeignKey(
        Drug, on_delete=models.PROTECT, related_name="purchase_order_items", verbose_name="drug"
    )
    pack_ratio = models.ForeignKey(
        PackRatio,
        on_delete=models.PROTECT,
        related_name="purchase_order_items",
        verbose_name="pack",
    )
    packs = models.IntegerField("packs", validators=[MinValueValidator(1)])
    packs_received = models.IntegerField("packs received", default=0, editable=False)
    pack_price = models.DecimalField(
        "price per pack", max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        db_table = '"inventory"."purchase_order_items"'
        verbose_name = "purchase order item"
        verbose_name_plural = "purchase order items"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "drug", "pack_ratio"], name="purchase_order_items_order_drug_key"
            ),
            models.CheckConstraint(
                condition=Q(packs__gt=0, pack_price__gte=0),
                name="purchase_order_items_packs_check",
            ),
            models.CheckConstraint(
                condition=Q(packs_received__gte=0, packs_received__lte=F("packs")),
                name="purchase_order_items_packs_received_check",
                violation_error_message="More packs would be received than were ordered.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.packs} packs of {self.drug} ({self.order})"
