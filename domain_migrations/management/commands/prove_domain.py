from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.prove import ProofResult, prove_domains
from ...exceptions import EXIT_FAILED
from ..console import add_database_option, command_errors


class Command(BaseCommand):
    help = (
        "Proves in a scratch database that a domain stands alone with core, and that undoing it"
        " restores what was before. The configured database is not touched."
    )
    requires_system_checks: list[str] = []  # The runs check what concerns their domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="All unless named.")
        add_database_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        def report(verdict: ProofResult) -> None:
            self._print(verdict, options["verbosity"])

        with command_errors():
            verdicts = prove_domains(
                options["domains"], database=options["database"], report=report
            )
        failed = [verdict.domain for verdict in verdicts if not verdict.is_proven]
        if failed:
            raise CommandError(f"Not proven: {', '.join(failed)}.", returncode=EXIT_FAILED)

    def _print(self, verdict: ProofResult, verbosity: int) -> None:
        if verdict.is_proven:
            if verbosity >= 1:
                proven = self.style.SUCCESS("proven")
                self.stdout.write(f"{verdict.domain}: {proven} in {verdict.seconds:.1f} s")
            return
        self.stdout.write(self.style.ERROR(f"{verdict.domain}: {verdict.message}"))
        if verbosity >= 2:
            for difference in verdict.differences[1:]:
                self.stdout.write(f"  {difference}")
