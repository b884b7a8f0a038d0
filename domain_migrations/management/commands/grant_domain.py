from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...api import grant_roles
from ..arguments import add_database_option, add_domain_arguments
from ..console import command_errors


class Command(BaseCommand):
    help = "Creates a database role for each domain, or removes it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        action = parser.add_mutually_exclusive_group(required=True)
        action.add_argument(
            "--print", action="store_true", help="Print the statements without running them."
        )
        action.add_argument(
            "--apply", action="store_true", help="Create or update the roles; safe to repeat."
        )
        action.add_argument("--remove", action="store_true", help="Remove the roles.")
        add_database_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors():
            for domain, statements in grant_roles(
                options["domains"],
                remove=options["remove"],
                run=not options["print"],
                database=options["database"],
            ):
                self.stdout.write(f"-- {domain.name}")
                for statement in statements:
                    self.stdout.write(f"{statement};")
