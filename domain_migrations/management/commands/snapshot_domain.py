from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.snapshot import SnapshotResult, snapshot_domains
from ...engine.snapshots.snapshot_file import display_path
from ...exceptions import EXIT_FAILED
from ..arguments import add_database_option, add_domain_arguments
from ..console import command_errors


class Command(BaseCommand):
    help = (
        "Writes a domain's schema to a file, from which it is created in an empty database"
        " without replaying the migrations. The schema is read from a scratch database."
    )
    requires_system_checks: list[str] = []  # The replay checks its own domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser, nargs="+")
        parser.add_argument(
            "--check",
            action="store_true",
            help="Exit with status 1 if the file is not up to date, without writing it.",
        )
        add_database_option(parser, "the first domain's own database")

    def handle(self, *args: Any, **options: Any) -> None:
        check = options["check"]
        report = partial(self._print, check=check, verbosity=options["verbosity"])
        with command_errors():
            results = snapshot_domains(
                options["domains"], database=options["database"], write=not check, report=report
            )
        outdated = [written.domain for written in results if written.is_changed]
        if check and outdated:
            raise CommandError(
                f"Not up to date: {', '.join(outdated)}."
                f" Run: manage.py snapshot_domain {' '.join(outdated)}",
                returncode=EXIT_FAILED,
            )

    def _print(self, written: SnapshotResult, check: bool, verbosity: int) -> None:
        for warning in written.warnings:
            self.stderr.write(self.style.WARNING(f"Warning: {written.domain}: {warning}"))
        if verbosity >= 1:
            count = len(written.snapshot.migrations)
            verb = "unchanged" if not written.is_changed else "differs" if check else "written"
            migrations = "1 migration" if count == 1 else f"{count} migrations"
            self.stdout.write(
                f"{written.domain}: {display_path(written.path)} {verb}, {migrations}"
            )
