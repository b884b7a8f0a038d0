"""Drug lots, their stock levels at each location, and stock transactions."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .base import Recorded
from .catalogue import Drug
from .places import Department, Location


class DrugLot(Recorded):
    """A manufacturer's batch of a drug, with its expiry date."""

    drug = models.ForeignKey(
        Drug, on_delete=models.PROTECT, related_name="lots", verbose_name="drug"
    )
    lot_number = models.CharField("lot number", max_length=50)
    manufactured_on = models.DateField("manufactured on", null=True, blank=True)
    expires_on = models.DateField("expires on")
    unit_cost = models.DecimalField(
        "cost per unit", max_digits=12, decimal_places=4, validators=[MinValueValidator(0)]
    )
    is_quarantined = models.BooleanField("quarantined", default=False)

    class Meta:
        db_table = '"inventory"."drug_lots"'
        verbose_name = "drug lot"
        verbose_name_plural = "drug lots"
        ordering = ["expires_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["drug", "lot_number", "expires_on"], name="drug_lots_drug_lot_expiry_key"
            ),
            models.CheckConstraint(
                condition=Q(manufactured_on__isnull=True) | Q(manufactured_on__lt=F("expires_on")),
                name="drug_lots_expires_on_check",
                violation_error_message="A lot expires after the day it was made.",
            ),
            models.CheckConstraint(condition=Q(unit_cost__gte=0), name="drug_lots_unit_cost_check"),
        ]
        indexes = [
            models.Index(fields=["drug", "expires_on"], name="drug_lots_drug_expiry_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.lot_number} (expires {self.expires_on})"


class StockLevel(models.Model):
    """The quantity of a lot at a location, in units of issue, written only by a trigger."""

    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="stock_levels", verbose_name="location"
    )
    lot = models.ForeignKey(
        DrugLot, on_delete=models.PROTECT, related_name="stock_levels", verbose_name="lot"
    )
    quantity = models.BigIntegerField("quantity", default=0)
    updated_at = models.DateTimeField("updated at", auto_now=True)

    class Meta:
        db_table = '"inventory"."stock_levels"'
        verbose_name = "stock level"
        verbose_name_plural = "stock levels"
        ordering = ["location", "lot"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["location", "lot"], name="stock_levels_location_lot_key"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0),
                name="stock_levels_quantity_check",
                violation_error_message="A location cannot hold less than nothing.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.lot} at {self.location}"


class StockTransaction(models.Model):
    """A movement of a lot into a location (positive) or out of it (negative)."""

    class Kind(models.TextChoices):
        RECEIVE = "receive", "Received from a vendor"
        ISSUE = "issue", "Issued to a department"
        RETURN = "return", "Returned by a department"
        TRANSFER_IN = "transfer_in", "Transferred in"
        TRANSFER_OUT = "transfer_out", "Transferred out"
        ADJUST = "adjust", "Adjusted after a count"
        WRITE_OFF = "write_off", "Expired or damaged"

    INWARD = (Kind.RECEIVE, Kind.RETURN, Kind.TRANSFER_IN)
    OUTWARD = (Kind.ISSUE, Kind.TRANSFER_OUT, Kind.WRITE_OFF)

    kind = models.CharField("kind", max_length=20, choices=Kind)
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="transactions", verbose_name="location"
    )
    lot = models.ForeignKey(
        DrugLot, on_delete=models.PROTECT, related_name="transactions", verbose_name="lot"
    )
    quantity = models.BigIntegerField("quantity", help_text="Negative when stock goes out.")
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stock_transactions",
        verbose_name="department",
    )
    reference = models.CharField("reference", max_length=100, blank=True)
    note = models.TextField("note", blank=True)
    occurred_at = models.DateTimeField("occurred at", default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name="created by",
    )

    class Meta:
        db_table = '"inventory"."stock_transactions"'
        verbose_name = "stock transaction"
        verbose_name_plural = "stock transactions"
        ordering = ["-occurred_at", "-id"]
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["receive", "return", "transfer_in"], quantity__gt=0)
                | Q(kind__in=["issue", "transfer_out", "write_off"], quantity__lt=0)
                | (Q(kind="adjust") & ~Q(quantity=0)),
                name="stock_transactions_quantity_check",
                violation_error_message="The sign does not fit the movement.",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["issue", "return"]) | Q(department__isnull=False),
                name="stock_transactions_department_check",
                violation_error_message="Name the department.",
            ),
        ]
        indexes = [
            models.Index(fields=["lot", "occurred_at"], name="stock_transactions_lot_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.quantity}"


class StockOnHand(models.Model):
    """The stock of a drug at a location, over all its lots: a read-only view."""

    id = models.CharField(primary_key=True, max_length=41)
    location = models.ForeignKey(
        Location, on_delete=models.DO_NOTHING, related_name="+", verbose_name="location"
    )
    drug = models.ForeignKey(
        Drug, on_delete=models.DO_NOTHING, related_name="+", verbose_name="drug"
    )
    quantity = models.BigIntegerField("quantity")
    usable = models.BigIntegerField("usable", help_text="Neither quarantined nor expired.")
    lots = models.BigIntegerField("lots")
    next_expiry = models.DateField("next expiry", null=True)
    value = models.DecimalField("value", max_digits=20, decimal_places=4)

    class Meta:
        managed = False
        db_table = '"inventory"."stock_on_hand"'
        verbose_name = "stock on hand"
        verbose_name_plural = "stock on hand"
        ordering = ["drug", "location"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.drug} at {self.location}"
