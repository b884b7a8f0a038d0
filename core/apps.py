"""The main system: users, their permissions, and the tables that all domains share."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from .permission_sync import sync_permissions


class CoreConfig(AppConfig):
    """The app of the main system, which belongs to no domain: its tables are in ``public``."""

    name = "core"
    verbose_name = "Main system"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # After Django's own receiver: django.contrib.auth is installed before core.
        post_migrate.connect(sync_permissions, dispatch_uid="core.permission_sync")
