from __future__ import annotations

from typing import Any

from django.core.management.commands import showmigrations
from django.db import connections

from ...api.show import interrupted_migrations
from ...domains import get_domains
from ...engine.sessions.connection import translate_database_errors
from ..console import command_errors


class Command(showmigrations.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors(), translate_database_errors(options["database"]):
            super().handle(*args, **options)
            connection = connections[options["database"]]
            if connection.vendor != "postgresql":
                return
            for name, key in interrupted_migrations(connection, get_domains()).items():
                if not options["app_label"] or key.app in options["app_label"]:
                    resume = f"manage.py repair_domain {name} --resume"
                    line = f"{key} was interrupted; to resume it, run: {resume}"
                    self.stderr.write(self.style.WARNING(line))
