from __future__ import annotations

from django.apps import AppConfig


class DomainMigrationsConfig(AppConfig):
    name = "domain_migrations"
    verbose_name = "Domain migrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
        from .history.recorder import install

        install()
