from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.seed.document import TAGS
from ...api.seed.run import SeedOptions, SeedOutcome, SeedReporter, SeedResult, seed_domain
from ...exceptions import EXIT_USAGE
from ..arguments import add_database_option, add_format_option, add_waiting_options, options_for
from ..console import (
    ConsoleReporter,
    JsonReporter,
    command_errors,
    error_text,
    print_json,
    print_tracebacks,
)


class Command(BaseCommand):
    help = "Loads a domain's reference data into its tables, preserving local changes."
    requires_system_checks: list[str] = []  # The run checks its own domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN", help='A domain, or "core".')
        parser.add_argument("--only", metavar="NAME", help="Run only the seed with this file name.")
        parser.add_argument(
            "--force", action="store_true", help="Also run seeds that have not changed."
        )
        parser.add_argument(
            "--plan",
            action="store_true",
            help="Show what would run, without changing anything.",
        )
        parser.add_argument(
            "--tag",
            action="append",
            choices=TAGS,
            dest="tags",
            help="Also run the seeds with this tag. Can be repeated. Defaults to SEED_TAGS.",
        )
        add_database_option(parser)
        add_waiting_options(parser, "--lock-wait", "--wait-for-db")
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options["format"] == "json"
        seed_options = options_for(SeedOptions, options)
        if problems := list(seed_options.validate()):
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        reporter = (
            SeedJsonReporter(self, options["verbosity"])
            if as_json
            else SeedConsoleReporter(self, options["verbosity"], headings=False)
        )
        with command_errors():
            result = seed_domain(options["domain"], seed_options, reporter=reporter)
        if as_json:
            print_json(self, result)
        elif options["verbosity"] >= 1:
            self.stdout.write(f"{result.domain}: {summary(result)}")
        print_tracebacks(self, [result.error], options)
        if result.error:
            raise CommandError(error_text(result.error), returncode=result.exit_status)


class SeedJsonReporter(JsonReporter, SeedReporter):
    """Leaves the seeds to the JSON object."""


class SeedConsoleReporter(ConsoleReporter, SeedReporter):
    """Prints a line for each seed."""

    def seed(self, outcome: SeedOutcome) -> None:
        if self.verbosity >= 1:
            self.command.stdout.write(f"  {outcome.seed}: {_outcome_text(outcome)}")


def _outcome_text(outcome: SeedOutcome) -> str:
    if outcome.status == "skipped":
        return f"skipped, its tags are {' and '.join(outcome.tags)}"
    if outcome.status != "seeded":
        return outcome.status
    counts = outcome.counts
    return (
        f"{counts.inserted} inserted, {counts.updated} updated, {counts.kept} kept"
        f" ({outcome.seconds:.1f} s)"
    )


def summary(result: SeedResult) -> str:
    """Return the result of a domain's seeds in a few words."""
    if result.status == "unchanged":
        return "nothing to do"
    number = sum(outcome.status in ("seeded", "pending") for outcome in result.seeds)
    if result.status == "planned":
        return f"{number} to seed"
    if result.status == "seeded":
        return f"{number} seeded in {result.seconds:.1f} s"
    return f"{result.status} ({number} seeded)"
