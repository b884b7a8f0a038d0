"""Locations of stock, departments and companies."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class Location(models.Model):
    """A place that holds stock: a warehouse, a pharmacy, a cupboard on a ward."""

    class Kind(models.TextChoices):
        WAREHOUSE = "warehouse", "Warehouse"
        PHARMACY = "pharmacy", "Pharmacy"
        WARD = "ward", "Ward"
        QUARANTINE = "quarantine", "Quarantine"

    class Storage(models.TextChoices):
        ROOM = "room", "Room temperature (below 30 °C)"
        COOL = "cool", "Cool (8 to 15 °C)"
        COLD = "cold", "Refrigerated (2 to 8 °C)"
        FROZEN = "frozen", "Frozen (below -10 °C)"

    code = models.CharField("code", max_length=20)
    name = models.CharField("name", max_length=200)
    kind = models.CharField("kind", max_length=20, choices=Kind, default=Kind.WAREHOUSE)
    storage = models.CharField("storage", max_length=10, choices=Storage, default=Storage.ROOM)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name="part of",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"inventory"."locations"'
        verbose_name = "location"
        verbose_name_plural = "locations"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="locations_code_key"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("id")),
                name="locations_parent_check",
                violation_error_message="A location cannot be part of itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Department(models.Model):
    """A unit of the hospital that uses drugs; their cost is charged to its cost centre."""

    code = models.CharField("code", max_length=20)
    name = models.CharField("name", max_length=200)
    cost_centre = models.ForeignKey(
        "core.CostCentre",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="cost centre",
    )
    location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="departments",
        verbose_name="own stock",
        help_text="Where the department keeps its drugs, if it does.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"inventory"."departments"'
        verbose_name = "department"
        verbose_name_plural = "departments"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="departments_code_key"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Company(models.Model):
    """A manufacturer, a vendor, or both, like the Government Pharmaceutical Organization."""

    class Kind(models.TextChoices):
        MANUFACTURER = "manufacturer", "Manufacturer"
        VENDOR = "vendor", "Vendor"
        BOTH = "both", "Manufacturer and vendor"

    code = models.CharField("code", max_length=20)
    name = models.CharField("name", max_length=200)
    kind = models.CharField("kind", max_length=20, choices=Kind, default=Kind.VENDOR)
    tax_id = models.CharField(
        "tax number",
        max_length=13,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{13}\Z", "A tax number has 13 digits.")],
    )
    address = models.TextField("address", blank=True)
    phone = models.CharField("telephone", max_length=50, blank=True)
    email = models.EmailField("e-mail", blank=True)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"inventory"."companies"'
        verbose_name = "company"
        verbose_name_plural = "companies"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="companies_code_key"),
            models.CheckConstraint(
                condition=Q(tax_id="") | Q(tax_id__regex=r"^[0-9]{13}$"),
                name="companies_tax_id_check",
                violation_error_message="A tax number has 13 digits.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_vendor(self) -> bool:
        """Whether the hospital can order from the company."""
        return self.kind in {self.Kind.VENDOR, self.Kind.BOTH}
