from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ...api import verify_fleet
from ..arguments import add_domain_arguments, add_format_option
from ..console import TerminalCommand, command_errors, print_json, stdout_for_json
from ..fleet_arguments import add_site_arguments, chosen_fleet
from ..fleet_output import describe_digest, print_verification, raise_for_sites, sites_text
from ..fleet_progress import fleet_reporter
from ..interrupts import signals_ignored


class Command(TerminalCommand):
    help = "Finds sites whose catalog differs from that of sites with the same migrations."
    requires_system_checks: list[str] = []  # It also works on a project with errors.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        add_site_arguments(parser)
        parser.add_argument(
            "--reference",
            metavar="SITE",
            help="Compare with this site. Defaults to what most sites have.",
        )
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = {**options, "verbosity": 1 if self.stdout.isatty() else options["verbosity"] - 1}
        with command_errors(), stdout_for_json(options):
            chosen = chosen_fleet(self, options)
            with fleet_reporter(self, quiet, describe_digest) as reporter:
                found = verify_fleet(
                    options["domains"],
                    chosen.sites,
                    chosen.options,
                    reference=options["reference"],
                    access=chosen.access,
                    reporter=reporter,
                )
            with signals_ignored(when=found.stopped):
                if options["format"] == "json":
                    print_json(self, found)
                else:
                    print_verification(self, found)
        names = [site.site for site in found.differing]
        sentence = f"Different: {sites_text(names)}." if names else ""
        raise_for_sites(found.sites, found.exit_status, found.stopped, sentence)
