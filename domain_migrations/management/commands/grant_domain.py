from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...api.grant import grant_roles
from ..console import add_database_option, command_errors


class Command(BaseCommand):
    help = "Gives each domain a database role of its own, or takes it away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="All unless named.")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--print", action="store_true", help="Print the statements, run none.")
        what.add_argument("--apply", action="store_true", help="Give the roles; safe to repeat.")
        what.add_argument("--remove", action="store_true", help="Take the roles away.")
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
