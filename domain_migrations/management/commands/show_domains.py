from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from ...api.show import show_domains
from ..console import add_database_option, command_errors
from ..show_table import print_overview
from ..terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Shows what is applied, pending and unknown in each domain."
    requires_system_checks: list[str] = []  # It must tell the truth about broken projects too.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="All unless named.")
        add_database_option(parser)
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            overview = show_domains(options["domains"], database=options["database"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(overview.as_json(), ensure_ascii=False))
        else:
            print_overview(self, overview, options["verbosity"])
