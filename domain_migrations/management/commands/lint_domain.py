from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.lint.linter import LintFinding, LintResult, lint_domain
from ...exceptions import EXIT_FAILED
from ..console import add_database_option, command_errors


class Command(BaseCommand):
    help = "Finds what is dangerous in pending migrations, or in those that are named."
    requires_system_checks: list[str] = []  # It must tell the truth about broken projects too.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="All unless named.")
        parser.add_argument("names", nargs="*", metavar="NAME", help="Migrations, pending or not.")
        add_database_option(parser)
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            found = lint_domain(options["domain"], options["names"], database=options["database"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False))
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
            self._indented(finding)
        if not found.findings:
            self.stdout.write(self.style.SUCCESS("Nothing found."))

    def _indented(self, finding: LintFinding) -> None:
        if finding.sql:
            self.stdout.write(f"    {' '.join(finding.sql.split())[:200]}")
        self.stdout.write(f"    {finding.message}")
        self.stdout.write(f"    {finding.hint}")
