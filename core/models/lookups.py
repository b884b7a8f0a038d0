"""Lookup tables that several domains share, because no domain may depend on another."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class CostCentre(models.Model):
    """A unit of the hospital to which costs are charged: departments, employees, invoices."""

    code = models.CharField(
        max_length=20, help_text="Capital letters, digits and single hyphens: PHARM-01."
    )
    name_en = models.CharField("name (English)", max_length=200)
    name_th = models.CharField("name (Thai)", max_length=200)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = "cost_centres"
        ordering = ["code"]
        verbose_name = "cost centre"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="cost_centres_code_key"),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Z0-9]+(-[A-Z0-9]+)*$"),
                name="cost_centres_code_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name_en}"
