from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import find_commands
from django.core.management.commands import makemigrations

from ...engine.runner.loader import WholeProjectLoader
from ...operations.autodetector import ReferenceDetection
from ..console import command_errors

OURS = __name__.partition(".")[0]
# Django's command has no other place for a loader that knows former dependencies.
makemigrations.MigrationLoader = WholeProjectLoader  # type: ignore[attr-defined]


def next_command() -> Any:
    """Return the command that this one extends: another installed app's, or Django's."""
    for config in apps.get_app_configs():
        folder = str(Path(config.path) / "management")
        if config.name != OURS and "makemigrations" in find_commands(folder):
            return import_module(f"{config.name}.management.commands.makemigrations").Command
    return makemigrations.Command


Next = next_command()


class Command(Next):  # type: ignore[misc, valid-type]
    autodetector = type("Autodetector", (ReferenceDetection, Next.autodetector), {})

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            super().handle(*args, **options)
