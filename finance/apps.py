"""Finance: a domain of its own in the schema ``finance``."""

from __future__ import annotations

from domain_migrations.domains import DomainConfig


class FinanceConfig(DomainConfig):
    """The books, and the invoices that are paid from them."""

    name = "finance"
    schema = "finance"
    verbose_name = "Finance"
    default_auto_field = "django.db.models.BigAutoField"
