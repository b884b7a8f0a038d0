from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...api import changed_domains
from ..arguments import add_format_option
from ..console import command_errors


class Command(BaseCommand):
    help = "Lists the domains whose files have changed in Git since a revision."
    requires_system_checks: list[str] = []  # It also works on a project with errors.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", required=True, metavar="REV", help="A Git branch, tag or commit."
        )
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            changes = changed_domains(options["since"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(changes.as_json()))
            return
        for name, paths in changes.files.items():
            self.stdout.write(name)
            if options["verbosity"] > 1:
                for path in paths:
                    self.stdout.write(f"  {ascii(path)[1:-1] if not path.isprintable() else path}")
