from __future__ import annotations

from typing import Any

from django.core.management.commands import showmigrations

from ...engine.sessions.connection import translate_database_errors
from ..console import command_errors


class Command(showmigrations.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors(), translate_database_errors(options["database"]):
            super().handle(*args, **options)
