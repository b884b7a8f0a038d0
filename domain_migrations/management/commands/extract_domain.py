from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

from ...api.extract import abort, cut_over, extract
from ...api.extract.step import ExtractOptions
from ...exceptions import EXIT_FAILED, EXIT_USAGE
from ..arguments import (
    add_format_option,
    add_noinput_option,
    add_waiting_options,
    options_for,
)
from ..console import (
    ConsoleReporter,
    JsonReporter,
    TerminalCommand,
    ask_to_continue,
    command_errors,
    print_json,
    stdout_for_json,
)
from ..extraction_output import print_cut_over, print_preflight, print_progress, watch_copy

STEPS = ("plan", "start", "status", "cut-over", "finish", "abort")
FINISHES = "After this there is no way back: what is written in the new database stays there."
CLEARS_ONE_SIDE = (
    "This opens the source without asking the target: what was written there and has not arrived"
    " is lost."
)


class Command(TerminalCommand):
    help = "Moves a domain to a PostgreSQL server of its own while the application writes."
    requires_system_checks: list[str] = []  # The run in the target checks the domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN", help="The name of the domain.")
        parser.add_argument("step", choices=STEPS, help="What to do; each step says what is next.")
        parser.add_argument(
            "--to",
            required=True,
            choices=tuple(connections),
            help="The alias in DATABASES of the new server.",
        )
        parser.add_argument(
            "--from",
            dest="source",
            choices=tuple(connections),
            help="The alias of the database that it leaves. Defaults to the domain's own.",
        )
        parser.add_argument(
            "--max-pause",
            default=ExtractOptions.max_pause,
            help="The longest that nobody may be able to write. Defaults to 5.",
            type=float,
            metavar="SECONDS",
        )
        parser.add_argument(
            "--patience",
            default=ExtractOptions.patience,
            help="How long to wait before the pause, for the copy and for long transactions.",
            type=float,
            metavar="SECONDS",
        )
        parser.add_argument(
            "--wait",
            default=0.0,
            help="With status: wait until every table is copied.",
            type=float,
            metavar="SECONDS",
        )
        parser.add_argument(
            "--with-core",
            dest="core_tables",
            default=(),
            type=_names,
            metavar="TABLES",
            help="With start: core's tables, with commas, that get read-only copies, too.",
        )
        parser.add_argument(
            "--publisher", default="", help="How the new server reaches the old one, as conninfo."
        )
        parser.add_argument(
            "--subscriber", default="", help="How the old server reaches the new one, as conninfo."
        )
        parser.add_argument(
            "--without-target",
            action="store_true",
            help="With abort: the new server is lost; clear only the old one.",
        )
        add_waiting_options(parser, "--lock-wait")
        add_format_option(parser)
        add_noinput_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if problem := _problem(options):
            raise CommandError(problem, returncode=EXIT_USAGE)
        kind = JsonReporter if options["format"] == "json" else ConsoleReporter
        self.reporter = kind(self, options["verbosity"])
        with command_errors(), stdout_for_json(options):
            getattr(self, f"_{options['step'].replace('-', '_')}")(
                options["domain"], options_for(ExtractOptions, options), options
            )

    def _plan(self, domain: str, chosen: ExtractOptions, options: dict[str, Any]) -> None:
        found = extract.plan_extraction(domain, chosen)
        print_preflight(self, domain, chosen.to, found, options)
        if found.obstacles:
            number = len(found.obstacles)
            raise CommandError(
                f"{number} {'obstacle' if number == 1 else 'obstacles'}.", returncode=EXIT_FAILED
            )

    def _start(self, domain: str, chosen: ExtractOptions, options: dict[str, Any]) -> None:
        print_progress(self, extract.start_extraction(domain, chosen, self.reporter), options)

    def _status(self, domain: str, chosen: ExtractOptions, options: dict[str, Any]) -> None:
        progress = watch_copy(
            self, lambda: extract.extraction_status(domain, chosen), options["wait"], options
        )
        print_progress(self, progress, options)

    def _cut_over(self, domain: str, chosen: ExtractOptions, options: dict[str, Any]) -> None:
        result = cut_over.cut_over(domain, chosen, self.reporter)
        if options["format"] == "json":
            print_json(self, result)
        else:
            print_cut_over(self, result)
            print_progress(self, result.progress, options)

    def _finish(self, domain: str, chosen: ExtractOptions, options: dict[str, Any]) -> None:
        self._ask(FINISHES, options)
        progress = extract.finish_extraction(domain, chosen, self.reporter)
        print_progress(self, progress, options)

    def _abort(self, domain: str, chosen: ExtractOptions, options: dict[str, Any]) -> None:
        alone = options["without_target"]
        effect = CLEARS_ONE_SIDE if alone else abort.what_is_dropped(domain, chosen)
        if effect:
            self._ask(effect, options)
        progress = abort.abort_extraction(domain, chosen, self.reporter, without_target=alone)
        print_progress(self, progress, options)

    def _ask(self, effect: str, options: dict[str, Any]) -> None:
        if options["interactive"] and sys.stdin.isatty():
            ask_to_continue(self.stderr, effect)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _problem(options: dict[str, Any]) -> str:
    """Return what is wrong with the options, as a sentence."""
    for name in ("max_pause", "patience", "wait"):
        if not 0 <= options[name] < float("inf"):
            return f"--{name.replace('_', '-')} takes seconds, 0 or more."
    if options["without_target"] and options["step"] != "abort":
        return "--without-target needs abort."
    if options["wait"] and options["step"] != "status":
        return "--wait needs status."
    return ""
