"""The main system: people, what they may do, and the tables that every domain shares."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Core belongs to no domain: its tables are in ``public``."""

    name = "core"
    verbose_name = "Main system"
    default_auto_field = "django.db.models.BigAutoField"
