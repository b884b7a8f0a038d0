from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ...api import show_fleet
from ..arguments import add_domain_arguments, add_format_option
from ..console import TerminalCommand, command_errors, print_json, stdout_for_json
from ..fleet_arguments import add_site_arguments, chosen_fleet
from ..fleet_output import describe_overview, print_overview, raise_for_overview
from ..fleet_progress import fleet_reporter
from ..interrupts import signals_ignored


class Command(TerminalCommand):
    help = "Shows which site is at which migration; sites at the same ones in one line."
    requires_system_checks: list[str] = []  # It also works on a project with errors.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        add_site_arguments(parser)
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = {**options, "verbosity": 1 if self.stdout.isatty() else options["verbosity"] - 1}
        with command_errors(), stdout_for_json(options):
            chosen = chosen_fleet(self, options)
            with fleet_reporter(self, quiet, describe_overview) as reporter:
                overview = show_fleet(
                    options["domains"],
                    chosen.sites,
                    chosen.options,
                    access=chosen.access,
                    reporter=reporter,
                )
            with signals_ignored(when=overview.stopped):
                if options["format"] == "json":
                    print_json(self, overview)
                else:
                    print_overview(self, overview)
        raise_for_overview(overview)
