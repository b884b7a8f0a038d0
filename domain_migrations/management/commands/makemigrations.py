from __future__ import annotations

from typing import Any

from django.core.management.commands import makemigrations

from ...engine.runner.loader import WholeProjectLoader
from ...operations.autodetector import ReferenceDetection
from ..console import command_errors
from ..next_commands import next_command

# Django's command has no other place for a loader that knows former dependencies.
makemigrations.MigrationLoader = WholeProjectLoader  # type: ignore[attr-defined]

Next = next_command("makemigrations")


class Command(Next):  # type: ignore[misc, valid-type]
    autodetector = type("Autodetector", (ReferenceDetection, Next.autodetector), {})

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            super().handle(*args, **options)
