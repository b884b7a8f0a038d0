from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
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
from ..distribution_check import check
from ..distribution_output import print_distribution
from ..move_output import move


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
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only show what a distribution would meet; all domains but core by default.",
        )
        parser.add_argument(
            "--move", metavar="NODE", help="Move one distributed domain to the node host:port."
        )
        parser.add_argument(
            "--balance",
            action="store_true",
            help="Move the domains that Citus would move to balance the nodes.",
        )
        parser.add_argument(
            "--block-writes",
            action="store_true",
            help="With --move or --balance: copy while nobody can write.",
        )
        add_database_option(parser)
        add_waiting_options(parser, "--lock-wait", "--lock-timeout")
        add_format_option(parser)
        add_noinput_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options_for(DistributeOptions, options)
        problems = [*chosen.validate(), *_problems(options)]
        if problems:
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        with command_errors(), stdout_for_json(options):
            if options["check"]:
                check(self, options)
            elif options["move"] or options["balance"]:
                move(self, options)
            else:
                self._distribute(chosen, options)

    def _distribute(self, chosen: DistributeOptions, options: dict[str, Any]) -> None:
        names = None if options["all_domains"] else options["domains"]
        as_json = options["format"] == "json"
        kind = DistributeJsonReporter if as_json else DistributeConsoleReporter
        reporter = kind(self, options["verbosity"], interactive=options["interactive"])
        result = distribute_domains(names, chosen, reporter=reporter)
        if as_json:
            print_json(self, result)
        elif options["verbosity"] >= 1:
            print_distribution(self, result)
        if result.error:
            raise CommandError(error_text(result.error), returncode=result.exit_status)


def _problems(options: dict[str, Any]) -> Iterator[str]:
    names, every = options["domains"], options["all_domains"]
    steps = [name for name in ("--check", "--move", "--balance") if options[name[2:]]]
    if len(steps) > 1:
        yield f"{' and '.join(steps)} exclude each other."
    elif options["move"]:
        if len(names) != 1 or every:
            yield "--move takes the name of one DOMAIN."
    elif options["balance"]:
        if names or every:
            yield "--balance takes no DOMAIN: Citus says which it would move."
    elif (every and names) or not (every or names or options["check"]):
        yield "Name either one DOMAIN or more, or --all."
    if options["block_writes"] and not (options["move"] or options["balance"]):
        yield "--block-writes is for --move and --balance."


class DistributeConsoleReporter(ConsoleReporter, DistributeReporter):
    """Prints notes, and asks on a terminal before anything is distributed."""

    def confirm(self, effect: str) -> None:
        if self.interactive and sys.stdin.isatty():
            ask_to_continue(self.command.stderr, effect)


class DistributeJsonReporter(JsonReporter, DistributeConsoleReporter):
    """Leaves standard output to the JSON object."""
