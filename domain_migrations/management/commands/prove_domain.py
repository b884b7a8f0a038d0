from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.prove import ProofResult, Proofs, prove_domains
from ...exceptions import EXIT_FAILED
from ..arguments import add_database_option, add_domain_arguments, add_format_option
from ..console import command_errors, print_json, stdout_for_json


class Command(BaseCommand):
    help = (
        "Tests in a scratch database that a domain can be migrated with core alone, and that"
        " reverting its migrations restores the database. The configured database is not changed."
    )
    requires_system_checks: list[str] = []  # The runs check their own domains.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        add_database_option(parser, "core's database")
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options["format"] == "json"
        report = partial(self._print, verbosity=options["verbosity"], as_json=as_json)
        with command_errors(), stdout_for_json(options):
            results = prove_domains(options["domains"], database=options["database"], report=report)
        if as_json:
            print_json(self, Proofs(results))
        failed = [result.domain for result in results if not result.is_proven]
        if failed:
            raise CommandError(f"Not proven: {', '.join(failed)}.", returncode=EXIT_FAILED)

    def _print(self, result: ProofResult, verbosity: int, as_json: bool) -> None:
        if as_json:
            return
        if result.is_proven:
            if verbosity >= 1:
                proven = self.style.SUCCESS("proven")
                rest = f", up to a transfer: {result.waits}" if result.waits else ""
                self.stdout.write(f"{result.domain}: {proven} in {result.seconds:.1f} s{rest}")
            return
        self.stdout.write(self.style.ERROR(f"{result.domain}: {result.message}"))
        if verbosity >= 2:
            for difference in result.differences[1:]:
                self.stdout.write(f"  {difference}")
