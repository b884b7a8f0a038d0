"""Commands that those of the engine extend: of the next app that has one, or Django's."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import find_commands

OURS = __name__.partition(".")[0]


def next_command(name: str) -> Any:
    """Return the class of another installed app's command, or of Django's if none has it."""
    for config in apps.get_app_configs():
        folder = str(Path(config.path) / "management")
        if config.name != OURS and name in find_commands(folder):
            return import_module(f"{config.name}.management.commands.{name}").Command
    return import_module(f"django.core.management.commands.{name}").Command
