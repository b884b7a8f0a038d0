from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api import repair
from ...domains import get_domain
from ...engine.runner.options import MigrateOptions
from ...exceptions import EXIT_USAGE
from ..console import (
    ConsoleReporter,
    add_database_option,
    command_errors,
    raise_for_domain,
    summary,
)

NAMED = {
    "mark_applied": repair.mark_applied,
    "mark_unapplied": repair.mark_unapplied,
    "accept_checksum": repair.accept_checksum,
}


class Command(BaseCommand):
    help = "Puts a domain's history right after an interruption, by hand and on the record."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--resume", action="store_true", help="Go on where it was interrupted.")
        what.add_argument("--mark-applied", metavar="NAME", help="Record it, run nothing.")
        what.add_argument("--mark-unapplied", metavar="NAME", help="Unrecord it, run nothing.")
        what.add_argument("--accept-checksum", metavar="NAME", help="Accept a reviewed edit.")
        what.add_argument("--prune", action="store_true", help="Drop rows that have no file.")
        add_database_option(parser)
        parser.add_argument("--lock-wait", type=float, metavar="SECONDS")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="Ask nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = MigrateOptions(
            database=options["database"],
            lock_wait=options["lock_wait"],
            interactive=options["interactive"],
            verbosity=options["verbosity"],
        )
        if problems := list(chosen.validate()):
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        with command_errors():
            self._repair(get_domain(options["domain"]).name, options, chosen)

    def _repair(self, domain: str, options: dict[str, Any], chosen: MigrateOptions) -> None:
        if chosen.interactive and not self._confirmed(domain):
            raise CommandError("Nothing was changed.")
        reporter = ConsoleReporter(self, chosen)
        if options["resume"]:
            result = repair.resume(domain, chosen, reporter)
            self.stdout.write(f"{domain}: {summary(result)}")
            raise_for_domain(result)
            return
        if options["prune"]:
            done = repair.prune(domain, chosen, reporter).done
        else:
            name = next(name for name in NAMED if options[name])
            done = NAMED[name](domain, options[name], chosen, reporter).done
        for sentence in done or ("Nothing to do.",):
            self.stdout.write(sentence)

    def _confirmed(self, domain: str) -> bool:
        question = f'This changes the history of the domain "{domain}". Continue? [y/N] '
        try:
            answer = input(question)
        except EOFError:  # nobody is there to answer
            raise CommandError("Nobody answered; give --noinput to go on without asking.") from None
        return answer.strip().lower() in ("y", "yes")
