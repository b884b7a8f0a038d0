from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from ...api import migrate_fleet
from ...engine.messages import counted
from ..console import (
    TerminalCommand,
    ask_to_continue,
    command_errors,
    print_json,
    stdout_for_json,
)
from ..fleet_arguments import add_site_arguments, chosen_fleet
from ..fleet_output import describe_migration, print_fleet, raise_for_fleet
from ..fleet_progress import fleet_reporter
from ..interrupts import signals_ignored
from ..run_output import print_tracebacks
from .migrate_domain import add_migrate_arguments, domain_problems, migrate_options


class Command(TerminalCommand):
    help = "Updates the database schema of one domain, or of all domains, at many sites."
    requires_system_checks: list[str] = []  # The run checks its own domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_migrate_arguments(parser)
        add_site_arguments(parser)
        parser.add_argument(
            "--canary",
            type=int,
            default=0,
            metavar="N",
            help="Migrate the first N sites before the others, and stop if one of them fails.",
        )
        parser.add_argument(
            "--max-failures",
            type=int,
            metavar="K",
            help="Start no other site once K of them have failed. Defaults to any number.",
        )
        parser.add_argument(
            "--only-pending",
            action="store_true",
            help="Look first, and leave alone sites with nothing pending, also as canaries.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = migrate_options(options)
        names = None if options["all"] else [options["domain"]]
        with command_errors(), stdout_for_json(options):
            chosen = chosen_fleet(self, options, *run.validate(), *domain_problems(options))
            reverts = run.may_revert and not (run.is_read_only or run.is_dry_run)
            if reverts and run.interactive and sys.stdin.isatty():
                count = counted(len(chosen.sites), "site")
                ask_to_continue(self.stderr, f"This may revert migrations at {count}.")
            with fleet_reporter(self, options, describe_migration) as reporter:
                result = migrate_fleet(
                    names,
                    chosen.sites,
                    run,
                    chosen.options,
                    access=chosen.access,
                    reporter=reporter,
                )
            with signals_ignored(when=result.is_interrupted):
                if options["format"] == "json":
                    print_json(self, result)
                else:
                    print_fleet(self, result, run)
                print_tracebacks(self, (site.error for site in result.sites), options)
        raise_for_fleet(result)
