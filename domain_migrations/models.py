"""The model that Django's permissions and admin require. It has no table."""

from __future__ import annotations

from django.db import models


class NoRows(models.Manager["Domain"]):
    """The manager of a model without a table: it finds nothing, and asks no database."""

    def get_queryset(self) -> models.QuerySet[Domain]:
        return super().get_queryset().none()


class Domain(models.Model):
    """The model of the engine's admin pages; it is never stored."""

    name = models.CharField(max_length=37, primary_key=True)

    objects = NoRows()

    class Meta:
        managed = False
        base_manager_name = "objects"
        default_permissions = ("view",)
        verbose_name = "domain"
        verbose_name_plural = "domains"

    def __str__(self) -> str:
        return self.name
