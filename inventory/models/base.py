"""Fields and constraints that several models of the inventory share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

FIRST_FISCAL_YEAR = 2500
LAST_FISCAL_YEAR = 2700


class Recorded(models.Model):
    """A row that records when it was created and changed, and which user created it."""

    created_at = models.DateTimeField("created at", auto_now_add=True)
    updated_at = models.DateTimeField("updated at", auto_now=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name="created by",
    )

    class Meta:
        abstract = True


def fiscal_year_field() -> models.IntegerField[Any, Any]:
    """Return a field for a fiscal year; 2569 is October 2025 to September 2026."""
    return models.IntegerField(
        "fiscal year",
        validators=[MinValueValidator(FIRST_FISCAL_YEAR), MaxValueValidator(LAST_FISCAL_YEAR)],
        help_text="Buddhist Era; begins on 1 October.",
    )


def fiscal_year_range(name: str) -> models.CheckConstraint:
    """Return a check constraint with that name: ``fiscal_year`` is in the Buddhist Era."""
    return models.CheckConstraint(
        condition=models.Q(fiscal_year__range=(FIRST_FISCAL_YEAR, LAST_FISCAL_YEAR)),
        name=name,
        violation_error_message="The fiscal year is in the Buddhist Era: 2569.",
    )
