from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...api.map import FORMATS, map_domains, render
from ..console import add_database_option, command_errors


class Command(BaseCommand):
    help = "Draws the domains: what they use of core, refer to by id, and may not use."
    requires_system_checks: list[str] = []  # What they would stop at is on the map.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_database_option(parser)
        parser.add_argument(
            "--format", choices=FORMATS, default="mermaid", help="What to draw it as."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            picture = render(map_domains(database=options["database"]), options["format"])
        self.stdout.write(picture, ending="")
