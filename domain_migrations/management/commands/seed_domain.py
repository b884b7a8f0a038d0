from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from ...api.seed.all_domains import SeedResults, seed_all_domains
from ...api.seed.document import TAGS
from ...api.seed.run import SeedOptions, SeedOutcome, SeedReporter, SeedResult, seed_domain
from ...exceptions import EXIT_USAGE
from ..arguments import add_database_option, add_format_option, add_waiting_options, options_for
from ..console import (
    ConsoleReporter,
    JsonReporter,
    TerminalCommand,
    command_errors,
    error_text,
    print_json,
    stdout_for_json,
)
from ..run_output import print_tracebacks


class Command(TerminalCommand):
    help = "Loads a domain's reference data into its tables, preserving local changes."
    requires_system_checks: list[str] = []  # The run checks its own domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", nargs="?", metavar="DOMAIN", help='A domain, or "core".')
        parser.add_argument(
            "--all", action="store_true", dest="all_domains", help="Every domain, core first."
        )
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
        every, name = options["all_domains"], options["domain"]
        problems = list(seed_options.validate())
        if every == bool(name):
            problems.append("Name either one DOMAIN or --all.")
        if every and seed_options.only:
            problems.append("--only cannot be used with --all.")
        if problems:
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        reporter = (
            SeedJsonReporter(self, options["verbosity"])
            if as_json
            else SeedConsoleReporter(self, options["verbosity"], headings=False)
        )
        report = partial(self._report, silent=as_json or options["verbosity"] < 1)
        with command_errors(), stdout_for_json(options):
            if every:
                found = seed_all_domains(seed_options, reporter=reporter, report=report)
            else:
                found = SeedResults((seed_domain(name, seed_options, reporter=reporter),))
                report(found.domains[0])
        if as_json:
            print_json(self, found if every else found.domains[0])
        print_tracebacks(self, [result.error for result in found.domains], options)
        errors = [error_text(result.error) for result in found.domains if result.error]
        if errors:
            raise CommandError("\n".join(errors), returncode=found.exit_status)

    def _report(self, result: SeedResult, silent: bool) -> None:
        if not silent:
            self.stdout.write(f"{result.domain}: {summary(result)}")


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
