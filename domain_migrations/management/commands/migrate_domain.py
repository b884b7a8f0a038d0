from __future__ import annotations

import json
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.management.base import CommandError

from ...api.migrate import migrate_domains
from ...engine.runner.options import MigrateOptions
from ...engine.runner.reporter import Reporter
from ...engine.sources.stages import STAGES
from ...exceptions import EXIT_USAGE
from ..console import (
    JsonReporter,
    add_database_option,
    command_errors,
    print_result,
    raise_for_result,
)
from ..terminal import TerminalCommand, console_reporter


class Command(TerminalCommand):
    help = "Brings a domain's schema up to date, or to a target, on its own."
    requires_system_checks: list[str] = []  # The run checks what concerns its domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        add_migrate_options(parser)
        parser.add_argument(
            "--skip-checks",
            action="store_true",
            help="As migrate has it; the checks of what the run is about are never skipped.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = migrate_options(options)
        problems = list(chosen.validate())
        if bool(options["domain"]) == options["all"]:
            problems.append("Name either one DOMAIN or --all.")
        if problems:
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        as_json = options["format"] == "json"
        names = None if options["all"] else [options["domain"]]
        with command_errors(), self._reporter(options, chosen) as reporter:
            result = migrate_domains(names, chosen, reporter=reporter)
        if as_json:
            self.stdout.write(json.dumps(result.as_json(), ensure_ascii=False))
        else:
            print_result(self, result, chosen)
        raise_for_result(result)

    def _reporter(
        self, options: dict[str, Any], chosen: MigrateOptions
    ) -> AbstractContextManager[Reporter]:
        if options["format"] == "json":
            return nullcontext(JsonReporter(self, options["verbosity"]))
        return console_reporter(self, chosen)


def add_domain_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="The domain; core is one too.")
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help="A migration's name or its beginning, APP.NAME, or zero.",
    )
    parser.add_argument("--all", action="store_true", help="Every domain, core first.")


def add_migrate_options(parser: ArgumentParser) -> None:
    flag, seconds = {"action": "store_true"}, {"type": float, "metavar": "SECONDS"}
    options: dict[str, dict[str, Any]] = {
        "--plan": {**flag, "help": "Show what would be done, and change nothing."},
        "--check": {**flag, "help": "Exit 1 if something is pending, and change nothing."},
        "--dry-run": {**flag, "help": "Run it all for real, show what it does, and roll it back."},
        "--rehearse": {
            **flag,
            "help": "As --dry-run, and undo and apply again: exit 1 if the undo does not restore.",
        },
        "--fake": {**flag, "help": "Record the migrations without running them."},
        "--fake-initial": {
            **flag,
            "help": "Record an initial migration without running it where its tables exist.",
        },
        "--with-dependencies": {**flag, "help": "Apply first what core lacks."},
        "--rollback": {
            "nargs": "?",
            "type": int,
            "const": 1,
            "metavar": "N",
            "help": "Undo the last batch, or the last N.",
        },
        "--jobs": {
            "type": int,
            "metavar": "N",
            "help": "Run so many domains at a time after core, each in a process of its own.",
        },
        "--stage": {
            "choices": STAGES,
            "help": "Apply what is safe while the old code runs (before), or the rest (after).",
        },
        "--strict": {**flag, "help": "Refuse where there would be a warning."},
        "--lock-wait": {**seconds, "help": "How long to wait for another run; 60 unless set."},
        "--lock-timeout": {
            **seconds,
            "help": "How long a statement may wait for a table lock; 3 unless set.",
        },
        "--statement-timeout": {
            **seconds,
            "help": "How long a statement may run; without limit unless set.",
        },
        "--wait-for-db": {
            **seconds,
            "default": 0.0,
            "help": "How long to wait for the database to answer.",
        },
        "--format": {"choices": ("text", "json"), "default": "text", "help": "text or json."},
    }
    add_database_option(parser)
    for name, values in options.items():
        parser.add_argument(name, **values)
    parser.add_argument(
        "--noinput",
        "--no-input",
        action="store_false",
        dest="interactive",
        help="Ask nothing.",
    )


def migrate_options(options: dict[str, Any]) -> MigrateOptions:
    """Return the parsed options as the run wants them; JSON leaves no output to receivers."""
    return MigrateOptions(
        database=options["database"],
        target=options["target"],
        all_domains=options["all"],
        plan=options["plan"],
        check=options["check"],
        dry_run=options["dry_run"],
        rehearse=options["rehearse"],
        fake=options["fake"],
        fake_initial=options["fake_initial"],
        with_dependencies=options["with_dependencies"],
        rollback=options["rollback"],
        jobs=options["jobs"],
        stage=options["stage"],
        strict=options["strict"],
        lock_wait=options["lock_wait"],
        lock_timeout=options["lock_timeout"],
        statement_timeout=options["statement_timeout"],
        wait_for_db=options["wait_for_db"],
        interactive=options["interactive"],
        verbosity=0 if options["format"] == "json" else options["verbosity"],
    )
