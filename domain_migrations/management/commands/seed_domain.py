from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...api.seed.document import TAGS
from ...api.seed.run import SeedOptions, SeedOutcome, SeedReporter, SeedResult, seed_domain
from ...exceptions import EXIT_USAGE
from ..console import JsonReporter, add_database_option


class Command(BaseCommand):
    help = "Brings a domain's reference data into its tables; what the site changed is kept."
    requires_system_checks: list[str] = []  # The run checks what concerns its domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN", help="The domain; core is one too.")
        parser.add_argument("--only", metavar="NAME", help="One seed, by its file's name.")
        parser.add_argument(
            "--force", action="store_true", help="Run also the seeds that have not changed."
        )
        parser.add_argument(
            "--plan", action="store_true", help="Show what would run, and change nothing."
        )
        parser.add_argument(
            "--tag",
            action="append",
            choices=TAGS,
            dest="tags",
            help="Run the seeds of this environment too; SEED_TAGS unless given. Repeatable.",
        )
        add_database_option(parser)
        parser.add_argument(
            "--lock-wait",
            type=float,
            metavar="SECONDS",
            help="How long to wait for another run; 60 unless set.",
        )
        parser.add_argument(
            "--wait-for-db",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="How long to wait for the database to answer.",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options["format"] == "json"
        chosen = _options(options)
        reporter = (_JsonReporter if as_json else ConsoleReporter)(self, options["verbosity"])
        result = seed_domain(options["domain"], chosen, reporter=reporter)
        if as_json:
            self.stdout.write(json.dumps(result.as_json(), ensure_ascii=False))
        elif options["verbosity"] >= 1:
            self.stdout.write(f"{result.domain}: {summary(result)}")
        if result.error:
            sentence = f"{result.error.message} {result.error.hint}".strip()
            raise CommandError(sentence, returncode=result.exit_status)


def _options(options: dict[str, Any]) -> SeedOptions:
    for name in ("lock_wait", "wait_for_db"):
        seconds = options[name]
        if seconds is not None and not 0 <= seconds < float("inf"):
            flag = f"--{name.replace('_', '-')}"
            raise CommandError(f"{flag} takes seconds, 0 or more.", returncode=EXIT_USAGE)
    return SeedOptions(
        database=options["database"],
        only=options["only"],
        force=options["force"],
        plan=options["plan"],
        tags=options["tags"],
        lock_wait=options["lock_wait"],
        wait_for_db=options["wait_for_db"],
    )


class _JsonReporter(JsonReporter, SeedReporter):
    """Leaves the seeds to the object."""


class ConsoleReporter(SeedReporter):
    """Prints a line for each seed."""

    def __init__(self, command: BaseCommand, verbosity: int) -> None:
        self.command = command
        self.verbosity = verbosity

    def seed(self, outcome: SeedOutcome) -> None:
        if self.verbosity < 1:
            return
        self.command.stdout.write(f"  {outcome.seed}: {_outcome_text(outcome)}")

    def on_note(self, message: str) -> None:
        if self.verbosity >= 1:
            self.command.stdout.write(f"  {message}")
            self.command.stdout.flush()


def _outcome_text(outcome: SeedOutcome) -> str:
    if outcome.status == "skipped":
        return f"skipped, it is for {' and '.join(outcome.tags)}"
    if outcome.status != "seeded":
        return outcome.status
    counts = outcome.counts
    return (
        f"{counts.inserted} inserted, {counts.updated} updated, {counts.kept} kept"
        f" ({outcome.seconds:.1f} s)"
    )


def summary(result: SeedResult) -> str:
    """Return what came of a domain's seeds in a few words."""
    if result.status == "unchanged":
        return "nothing to do"
    number = sum(outcome.status in ("seeded", "pending") for outcome in result.seeds)
    if result.status == "planned":
        return f"{number} to seed"
    if result.status == "seeded":
        return f"{number} seeded in {result.seconds:.1f} s"
    return f"{result.status} ({number} seeded)"
