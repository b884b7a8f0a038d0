from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from ...api.start.start import StartedDomain, start_domain
from ..console import add_database_option, command_errors


class Command(BaseCommand):
    help = "Writes a new domain: its app with everything in it, and its place in the project."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="The domain's, which its app has too.")
        parser.add_argument("--schema", help="The schema; the domain's name unless given.")
        parser.add_argument(
            "--owner", help="Who owns it in CODEOWNERS; @NAME-team unless given.", metavar="OWNER"
        )
        add_database_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            started = start_domain(
                options["name"],
                schema=options["schema"],
                owner=options["owner"],
                database=options["database"] or DEFAULT_DB_ALIAS,
            )
        if options["verbosity"] >= 1:
            self._print(started)

    def _print(self, started: StartedDomain) -> None:
        for change in started.changes:
            verb = "created" if change.before is None else "changed"
            note = f": {change.note}" if change.note else ""
            self.stdout.write(f"{verb} {change.path.relative_to(started.root)}{note}")
        for sentence in started.advice:
            self.stdout.write(f"\n{sentence}")
        next_step = self.style.SUCCESS(f"manage.py migrate_domain {started.name}")
        self.stdout.write(f"The domain {started.name} is there. Next: {next_step}")
