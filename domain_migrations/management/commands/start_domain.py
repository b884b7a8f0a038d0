from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from ...api.start.start import StartedDomain, start_domain
from ..arguments import add_database_option
from ..console import command_errors


class Command(BaseCommand):
    help = "Creates a new domain: its app, and its entries in the project's configuration."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="The name of the domain and of its app.")
        parser.add_argument("--schema", help="Defaults to the domain's name.")
        parser.add_argument(
            "--owner", metavar="OWNER", help="The owner in CODEOWNERS. Defaults to @NAME-team."
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
        self.stdout.write(f"The domain {started.name} was created. Next: {next_step}")
