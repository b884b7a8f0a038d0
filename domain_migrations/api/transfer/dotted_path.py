"""The app and the object that a dotted path leads to."""

from __future__ import annotations

import importlib

from django.apps import apps
from django.apps.config import AppConfig


def app_of_module(origin: str) -> AppConfig | None:
    """Return the app whose module a dotted path is in."""
    found = [
        config for config in apps.get_app_configs() if f"{origin}.".startswith(f"{config.name}.")
    ]
    return max(found, key=lambda config: len(config.name), default=None)


def resolve(origin: str) -> object:
    """Return what a dotted path leads to, or None."""
    module, _, name = origin.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None
