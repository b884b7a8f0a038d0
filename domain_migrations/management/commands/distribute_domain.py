from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ...api.distribute.distribute import distribute_domains
from ...api.distribute.distribution_result import DistributeOptions, DistributeReporter
from ...exceptions import EXIT_USAGE
from ..arguments import (
    add_database_option,
    add_format_option,
    add_noinput_option,
    add_waiting_options,
    options_for,
)
from ..console import (
    ConsoleReporter,
    JsonReporter,
    TerminalCommand,
    ask_to_continue,
    command_errors,
    error_text,
    print_json,
    stdout_for_json,
)
from ..distribution_output import print_distribution


class Command(TerminalCommand):
    help = "Distributes domains over the workers of a Citus cluster."
    requires_system_checks: list[str] = []  # No model is loaded from code that may have changed.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="A domain, but core.")
        parser.add_argument(
            "--all", action="store_true", dest="all_domains", help="Every domain but core."
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Do everything in a transaction, and roll it back.",
        )
        add_database_option(parser)
        add_waiting_options(parser, "--lock-wait", "--lock-timeout")
        add_format_option(parser)
        add_noinput_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options_for(DistributeOptions, options)
        problems = list(chosen.validate())
        if options["all_domains"] == bool(options["domains"]):
            problems.append("Name either one DOMAIN or more, or --all.")
        if problems:
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        names = None if options["all_domains"] else options["domains"]
        as_json = options["format"] == "json"
        kind = DistributeJsonReporter if as_json else DistributeConsoleReporter
        reporter = kind(self, options["verbosity"], interactive=options["interactive"])
        with command_errors(), stdout_for_json(options):
            result = distribute_domains(names, chosen, reporter=reporter)
        if as_json:
            print_json(self, result)
        elif options["verbosity"] >= 1:
            print_distribution(self, result)
        if result.error:
            raise CommandError(error_text(result.error), returncode=result.exit_status)


class DistributeConsoleReporter(ConsoleReporter, DistributeReporter):
    """Prints notes, and asks on a terminal before anything is distributed."""

    def confirm(self, effect: str) -> None:
        if self.interactive and sys.stdin.isatty():
            ask_to_continue(self.command.stderr, effect)


class DistributeJsonReporter(JsonReporter, DistributeConsoleReporter):
    """Leaves standard output to the JSON object."""
