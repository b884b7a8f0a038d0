from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ...api import MigrateOptions, repair
from ...domains import get_domain
from ...exceptions import EXIT_USAGE
from ..arguments import add_database_option, add_noinput_option, add_waiting_options, options_for
from ..console import ConsoleReporter, TerminalCommand, ask_to_continue, command_errors
from ..run_output import print_tracebacks, raise_for_domains, summary

BY_NAME = {
    "mark_applied": repair.mark_applied,
    "mark_unapplied": repair.mark_unapplied,
    "accept_checksum": repair.accept_checksum,
}

CHANGES_HISTORY = 'This changes the history of the domain "{}".'
RESUMES = "This runs the remaining operations of {}, which was interrupted."


class Command(TerminalCommand):
    help = "Resumes an interrupted migration, or corrects the recorded history of a domain."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN", help='A domain, or "core".')
        action = parser.add_mutually_exclusive_group(required=True)
        action.add_argument(
            "--resume",
            action="store_true",
            help="Resume the interrupted migration at its first unfinished operation.",
        )
        action.add_argument(
            "--mark-applied",
            metavar="NAME",
            help="Record a migration as applied, without running it.",
        )
        action.add_argument(
            "--mark-unapplied",
            metavar="NAME",
            help="Delete a migration from the history, without reverting it.",
        )
        action.add_argument(
            "--accept-checksum",
            metavar="NAME",
            help="Record that the changes to an applied migration's file were reviewed.",
        )
        action.add_argument(
            "--prune",
            action="store_true",
            help="Delete the migrations that are not on disk from the history.",
        )
        add_database_option(parser)
        add_waiting_options(parser, "--lock-wait")
        add_noinput_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run_options = options_for(MigrateOptions, options)
        if problems := list(run_options.validate()):
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        with command_errors():
            self._repair(get_domain(options["domain"]).name, options, run_options)

    def _repair(self, domain: str, options: dict[str, Any], run_options: MigrateOptions) -> None:
        if run_options.interactive:
            effect = CHANGES_HISTORY.format(domain)
            if options["resume"]:
                effect = RESUMES.format(repair.interrupted_migration(domain, run_options))
            ask_to_continue(self.stdout, effect)
        reporter = ConsoleReporter(self, run_options.verbosity)
        if options["resume"]:
            result = repair.resume(domain, run_options, reporter)
            self.stdout.write(f"{domain}: {summary(result)}")
            print_tracebacks(self, [result.error], options)
            raise_for_domains([result], result.exit_status)
            return
        if options["prune"]:
            repaired = repair.prune(domain, run_options, reporter)
        else:
            name = next(name for name in BY_NAME if options[name] is not None)
            repaired = BY_NAME[name](domain, options[name], run_options, reporter)
        for sentence in repaired.done or ("Nothing to do.",):
            self.stdout.write(sentence)
