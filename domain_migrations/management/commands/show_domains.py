from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...execution.overview import Overview, show
from ..output import add_database_option, command_errors


class Command(BaseCommand):
    help = "Shows what is applied, pending and unknown in each domain."
    requires_system_checks: list[str] = []  # It must tell the truth about broken projects too.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="All unless named.")
        add_database_option(parser)
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            overview = show(options["domains"], database=options["database"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(overview.as_json(), ensure_ascii=False))
        else:
            self._print(overview, options["verbosity"])

    def _print(self, overview: Overview, verbosity: int) -> None:
        for domain in overview.domains:
            status = domain.status
            self.stdout.write(
                self.style.MIGRATE_HEADING(
                    f"{status.domain.name}  (schema {status.domain.schema},"
                    f" history {status.domain.history_table})"
                )
            )
            changed = (
                status.last_change.isoformat(" ", "seconds") if status.last_change else "never"
            )
            self.stdout.write(
                f"  {len(status.rows)} applied, {len(status.pending)} pending,"
                f" {len(status.unknown)} unknown, {domain.tables} tables; last change {changed}"
            )
            for key in status.pending:
                self.stdout.write(f"  [ ] {key}")
            for key in status.unknown:
                self.stdout.write(self.style.WARNING(f"  [?] {key} (applied, not on disk)"))
            if verbosity > 1:
                for row in status.rows:
                    self.stdout.write(
                        f"  [X] {row.app}.{row.name} ({row.applied:%Y-%m-%d %H:%M:%S})"
                    )
