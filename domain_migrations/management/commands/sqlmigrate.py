from __future__ import annotations

from typing import Any

from django.core.management.commands import sqlmigrate

from ...engine.sessions.database_problems import translate_database_errors
from ..console import command_errors


class Command(sqlmigrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:
        with command_errors(), translate_database_errors(options["database"]):
            output: str | None = super().execute(*args, **options)
        return output
