"""Look-up tables that several domains need: shared here because no domain may use another."""

from __future__ import annotations

from django.db import models


class CostCentre(models.Model):
    """A unit of the hospital that carries costs; stock, people and invoices belong to one."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "cost_centres"
        ordering = ["code"]
        verbose_name = "cost centre"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="cost_centres_code_key"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
