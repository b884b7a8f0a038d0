"""The inventory domain."""

from __future__ import annotations

from domain_migrations.domains import DomainConfig


class InventoryConfig(DomainConfig):
    """The app of the domain, which owns the schema ``inventory``."""

    name = "inventory"
    schema = "inventory"
    verbose_name = "Drug inventory"
    default_auto_field = "django.db.models.BigAutoField"
