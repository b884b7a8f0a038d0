from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.lint.linter import LintResult, lint_domain
from ...exceptions import EXIT_FAILED
from ..arguments import add_database_option, add_format_option
from ..console import command_errors, print_json, stdout_for_json


class Command(BaseCommand):
    help = "Reports dangerous changes in pending migrations, or in named ones."
    requires_system_checks: list[str] = []  # It also works on a project with errors.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="Defaults to all domains.")
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="Defaults to the pending migrations."
        )
        parser.add_argument(
            "--engine",
            choices=["postgresql", "citus"],
            help="citus: report what a distributed domain refuses, too, without a cluster."
            " Defaults to what the domain declares.",
        )
        add_database_option(parser)
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors(), stdout_for_json(options):
            found = lint_domain(
                options["domain"],
                options["names"],
                database=options["database"],
                engine=options["engine"],
            )
        if options["format"] == "json":
            print_json(self, found)
        else:
            self._print(found)
        if found.errors:
            raise CommandError(
                f"{found.errors} error{'s' * (found.errors > 1)}.", returncode=EXIT_FAILED
            )

    def _print(self, found: LintResult) -> None:
        for finding in found.findings:
            style = self.style.ERROR if finding.level == "error" else self.style.WARNING
            where = f"{finding.key}:{finding.line}" if finding.line else str(finding.key)
            self.stdout.write(f"{where}: {style(f'{finding.level}: {finding.rule}')}")
            if finding.sql:
                self.stdout.write(f"    {' '.join(finding.sql.split())[:200]}")
            self.stdout.write(f"    {finding.message}\n    {finding.hint}")
        if not found.findings:
            self.stdout.write(self.style.SUCCESS("Nothing found."))
