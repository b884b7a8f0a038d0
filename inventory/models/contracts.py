"""Contracts with vendors on prices and quantities."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from .base import Recorded, fiscal_year_field, fiscal_year_range
from .catalogue import Drug, PackRatio
from .places import Company
from .purchasing import ProcurementMethod


class Contract(Recorded):
    """A contract with a vendor for a period, often a joint purchase of several hospitals."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        CLOSED = "closed", "Closed"
        TERMINATED = "terminated", "Terminated"

    number = models.CharField("number", max_length=50)
    title = models.CharField("title", max_length=255)
    vendor = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="contracts", verbose_name="vendor"
    )
    method = models.CharField(
        "procurement method",
        max_length=20,
        choices=ProcurementMethod,
        default=ProcurementMethod.E_BIDDING,
    )
    fiscal_year = fiscal_year_field()
    starts_on = models.DateField("starts on")
    ends_on = models.DateField("ends on")
    total_value = models.DecimalField(
        "total value", max_digits=14, decimal_places=2, validators=[MinValueValidator(0)]
    )
    status = models.CharField("status", max_length=20, choices=Status, default=Status.DRAFT)

    class Meta:
        db_table = '"inventory"."contracts"'
        verbose_name = "contract"
        verbose_name_plural = "contracts"
        ordering = ["-starts_on", "number"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="contracts_number_key"),
            fiscal_year_range("contracts_fiscal_year_check"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="contracts_ends_on_check",
                violation_error_message="A contract ends after it starts.",
            ),
            models.CheckConstraint(
                condition=Q(total_value__gte=0), name="contracts_total_value_check"
            ),
        ]
        indexes = [models.Index(fields=["vendor", "ends_on"], name="contracts_vendor_ends_idx")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class ContractItem(models.Model):
    """The agreed price of a drug, and the maximum number of packs that may be ordered."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="items", verbose_name="contract"
    )
    drug = models.ForeignKey(
        Drug, on_delete=models.PROTECT, related_name="contract_items", verbose_name="drug"
    )
    pack_ratio = models.ForeignKey(
        PackRatio, on_delete=models.PROTECT, related_name="contract_items", verbose_name="pack"
    )
    packs = models.IntegerField("packs agreed", validators=[MinValueValidator(1)])
    pack_price = models.DecimalField(
        "price per pack", max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        db_table = '"inventory"."contract_items"'
        verbose_name = "contract item"
        verbose_name_plural = "contract items"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "drug", "pack_ratio"], name="contract_items_contract_drug_key"
            ),
            models.CheckConstraint(
                condition=Q(packs__gt=0, pack_price__gte=0), name="contract_items_packs_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.packs} packs of {self.drug}"
