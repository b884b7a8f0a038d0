from __future__ import annotations

import datetime
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ...api.transfer.transfer import TransferPlan, plan_transfer, write_transfer
from ...exceptions import EXIT_FAILED, EXIT_USAGE
from ..arguments import add_database_option, add_format_option, add_noinput_option
from ..console import (
    TerminalCommand,
    ask_to_continue,
    command_errors,
    print_json,
    stdout_for_json,
)
from ..transfer_output import print_next_step, print_plan

WRITES = "This writes the files above."


class Command(TerminalCommand):
    help = "Moves a model to an app of another domain: writes the code and a pair of migrations."
    requires_system_checks: list[str] = []  # The plan runs them on the edited code.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="The label of the model: APP.Model.")
        parser.add_argument(
            "target",
            metavar="TARGET",
            help="The label of the app that gets it, or a domain with one app that has models.",
        )
        parser.add_argument(
            "--convert",
            action="store_true",
            help="Convert foreign keys that the move makes illegal to references.",
        )
        parser.add_argument(
            "--compat-view",
            type=int,
            metavar="DAYS",
            help="Leave a view under the old name, for old code that still runs.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what would be written; write nothing."
        )
        add_database_option(parser, "the model's own")
        add_format_option(parser)
        add_noinput_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["compat_view"]
        if days is not None and days < 1:
            raise CommandError(
                "--compat-view takes a number of days, 1 or more.", returncode=EXIT_USAGE
            )
        today = datetime.datetime.now(tz=datetime.UTC).date()
        with command_errors(), stdout_for_json(options):
            plan = plan_transfer(
                options["model"],
                options["target"],
                convert=options["convert"],
                compat_view_until=None if days is None else today + datetime.timedelta(days=days),
                database=options["database"],
            )
            if options["format"] == "text":
                print_plan(self, plan)
            if not options["dry_run"] and not plan.blockers:
                if options["interactive"] and sys.stdin.isatty():
                    ask_to_continue(self.stderr, WRITES)
                plan = write_transfer(plan)
            self._end(plan, options)

    def _end(self, plan: TransferPlan, options: dict[str, Any]) -> None:
        """Print the result, and fail if something blocks the plan."""
        if options["format"] == "json":
            print_json(self, plan)
        elif not plan.blockers:
            print_next_step(self, plan)
        if plan.blockers:
            count = len(plan.blockers)
            raise CommandError(
                f"{count} {'thing blocks' if count == 1 else 'things block'} the transfer;"
                " nothing was written.",
                returncode=EXIT_FAILED,
            )
