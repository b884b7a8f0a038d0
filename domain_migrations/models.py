"""What Django's permissions and its admin need a model for; there is no table behind it."""

from __future__ import annotations

from django.db import models


class Domain(models.Model):
    """The domains, as the engine's admin pages show them; nothing is ever stored here."""

    name = models.CharField(max_length=37, primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "domain"
        verbose_name_plural = "domains"

    def __str__(self) -> str:
        return self.name
