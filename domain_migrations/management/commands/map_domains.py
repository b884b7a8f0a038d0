from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...api.map import FORMATS, map_domains, render
from ..arguments import add_database_option
from ..console import command_errors


class Command(BaseCommand):
    help = "Draws a map of the domains: foreign keys to core, references by id and violations."
    requires_system_checks: list[str] = []  # The map shows violations instead of failing.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_database_option(parser)
        parser.add_argument(
            "--format", choices=FORMATS, default="mermaid", help="Defaults to mermaid."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            picture = render(map_domains(database=options["database"]), options["format"])
        self.stdout.write(picture, ending="")
