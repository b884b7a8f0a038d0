"""The finance domain."""

from __future__ import annotations

from domain_migrations.domains import DomainConfig


class FinanceConfig(DomainConfig):
    """The app of the domain, which owns the schema ``finance``."""

    name = "finance"
    schema = "finance"
    verbose_name = "Finance"
    default_auto_field = "django.db.models.BigAutoField"
