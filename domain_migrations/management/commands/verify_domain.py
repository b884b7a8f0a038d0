from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.verify.verify import KINDS, Verification, verify_domains
from ...engine.runner.results import most_severe
from ...exceptions import EXIT_FAILED, EXIT_USAGE
from ..arguments import add_database_option, add_domain_arguments, add_format_option
from ..console import command_errors, error_text, print_json, stdout_for_json


class Command(BaseCommand):
    help = "Reports differences between the database and the migrations, and boundary violations."
    requires_system_checks: list[str] = []  # It also works on a project with errors.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="KIND",
            help=f"Run only this check: {', '.join(KINDS)}. Can be repeated.",
        )
        parser.add_argument(
            "--write-baseline",
            action="store_true",
            help="Accept the findings of drift and leftovers: write them to the file of the"
            " setting VERIFY_BASELINE.",
        )
        parser.add_argument(
            "--repair-sql",
            action="store_true",
            help="Print the SQL that brings the database back to what the migrations make, with"
            " dangerous statements commented out. Nothing is run.",
        )
        add_database_option(parser)
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = [kind for names in options["only"] for kind in names.split(",") if kind]
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise CommandError(
                f"--only has no kind {', '.join(unknown)}. The kinds are {', '.join(KINDS)}.",
                returncode=EXIT_USAGE,
            )
        with command_errors(), stdout_for_json(options):
            found = verify_domains(
                options["domains"],
                only=kinds,
                database=options["database"],
                record=True,
                accept=options["write_baseline"],
                repair=options["repair_sql"],
            )
        if options["format"] == "json":
            print_json(self, found)
        elif options["repair_sql"]:
            for script in found.repairs:
                self.stdout.write(script.text())
        else:
            self._print(found, options["verbosity"], wrote=options["write_baseline"])
        if found.unreachable:
            lost = " ".join(error_text(each.error) for each in found.unreachable)
            raise CommandError(
                f"{len(found.findings)} found. {lost}",
                returncode=most_severe(each.error.exit_status for each in found.unreachable),
            )
        if found.findings:
            raise CommandError(f"{len(found.findings)} found.", returncode=EXIT_FAILED)

    def _print(self, found: Verification, verbosity: int, *, wrote: bool) -> None:
        for finding in found.findings:
            self.stdout.write(self.style.ERROR(f"{finding.id} {finding.message}"))
            self.stdout.write(f"     {finding.hint}")
        if verbosity > 1:
            for finding in found.unmanaged:
                self.stdout.write(f"{finding.id} {finding.message}")
        for note in found.notes if verbosity > 1 else found.notes[-1:] if wrote else ():
            self.stdout.write(note)
        if not found.findings and not found.unreachable:
            self.stdout.write(self.style.SUCCESS("Nothing found."))
