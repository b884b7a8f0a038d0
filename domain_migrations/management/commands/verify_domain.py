from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.verify.verify import KINDS, Verification, verify_domains
from ...exceptions import EXIT_FAILED, EXIT_USAGE
from ..console import add_database_option, command_errors


class Command(BaseCommand):
    help = "Finds where the database is not what the code says, or not within the rules."
    requires_system_checks: list[str] = []  # It must tell the truth about broken projects too.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="All unless named.")
        parser.add_argument(
            "--only", action="append", default=[], metavar="KIND", help=f"Of {', '.join(KINDS)}."
        )
        add_database_option(parser)
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = [kind for given in options["only"] for kind in given.split(",") if kind]
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise CommandError(
                f"--only has no kind {', '.join(unknown)}. The kinds are {', '.join(KINDS)}.",
                returncode=EXIT_USAGE,
            )
        with command_errors():
            found = verify_domains(
                options["domains"], only=kinds, database=options["database"], record=True
            )
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False))
        else:
            self._print(found, options["verbosity"])
        if found.findings:
            raise CommandError(f"{len(found.findings)} found.", returncode=EXIT_FAILED)

    def _print(self, found: Verification, verbosity: int) -> None:
        for finding in found.findings:
            self.stdout.write(self.style.ERROR(f"{finding.id} {finding.message}"))
            self.stdout.write(f"     {finding.hint}")
        if verbosity > 1:
            for finding in found.unmanaged:
                self.stdout.write(f"{finding.id} {finding.message}")
            for note in found.notes:
                self.stdout.write(note)
        if not found.findings:
            self.stdout.write(self.style.SUCCESS("Nothing found."))
