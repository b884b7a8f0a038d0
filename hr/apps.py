"""The human resources domain."""

from __future__ import annotations

from domain_migrations.domains import DomainConfig


class HrConfig(DomainConfig):
    """The app of the domain, which owns the schema ``hr``."""

    name = "hr"
    schema = "hr"
    verbose_name = "Human resources"
    default_auto_field = "django.db.models.BigAutoField"
