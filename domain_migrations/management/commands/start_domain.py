from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from ...api.source_code.file_changes import FileChange
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
            "--owner", metavar="OWNER", help="The owner in CODEOWNERS. Defaults to none."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what would be written; write nothing."
        )
        add_database_option(parser, f'"{DEFAULT_DB_ALIAS}"')

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            started = start_domain(
                options["name"],
                schema=options["schema"],
                owner=options["owner"],
                database=options["database"] or DEFAULT_DB_ALIAS,
                dry_run=options["dry_run"],
            )
        if options["verbosity"] >= 1:
            self._print(started)

    def _print(self, started: StartedDomain) -> None:
        would = "would be " if started.is_dry_run else ""
        for change in started.changes:
            verb = "created" if change.before is None else "changed"
            note = f": {change.note}" if change.note else ""
            self.stdout.write(f"{would}{verb} {change.path.relative_to(started.root)}{note}")
            if started.is_dry_run and change.before is not None:
                self.stdout.write("\n".join(f"  {line}" for line in _changed_lines(change)))
        for sentence in started.advice:
            self.stdout.write(f"\n{sentence}")
        if started.is_dry_run:
            self.stdout.write("Nothing was written.")
            return
        next_step = self.style.SUCCESS(f"manage.py migrate_domain {started.name}")
        self.stdout.write(f"The domain {started.name} was created. Next: {next_step}")


def _changed_lines(change: FileChange) -> Iterator[str]:
    before, after = ((text or b"").decode().splitlines() for text in (change.before, change.after))
    lines = list(unified_diff(before, after, lineterm="", n=0))[2:]
    return (line for line in lines if not line.startswith("@@"))
