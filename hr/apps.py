"""Human resources: a domain of its own in the schema ``hr``."""

from __future__ import annotations

from domain_migrations.domains import DomainConfig


class HrConfig(DomainConfig):
    """The people who work here, what they do and when they are away."""

    name = "hr"
    schema = "hr"
    verbose_name = "Human resources"
    default_auto_field = "django.db.models.BigAutoField"
