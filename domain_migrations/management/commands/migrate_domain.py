from __future__ import annotations

from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError

from ...api import MigrateOptions, Reporter, migrate_domains
from ...conf import STAGES
from ...exceptions import EXIT_USAGE
from ..arguments import (
    add_database_option,
    add_format_option,
    add_noinput_option,
    add_waiting_options,
    options_for,
)
from ..console import (
    JsonReporter,
    TerminalCommand,
    command_errors,
    console_reporter,
    print_json,
    stdout_for_json,
)
from ..run_output import print_result, print_tracebacks, raise_for_domains

FLAGS = {
    "--all": "Migrate every domain, core first.",
    "--plan": "Show what would be done, without changing anything.",
    "--check": "Exit with status 1 if migrations are pending, without changing anything.",
    "--dry-run": "Run the migrations, show their effects and roll everything back.",
    "--rehearse": (
        "Do what --dry-run does, and also revert and reapply each migration. Exit with status 1"
        " if reverting does not restore the catalogs."
    ),
    "--fake": "Record the migrations without running them.",
    "--fake-initial": "Record initial migrations without running them if all their tables exist.",
    "--with-dependencies": "First apply the core migrations that are missing.",
    "--strict": "Treat warnings about unknown and edited migrations as errors.",
    "--signals": "Send pre_migrate and post_migrate even if nothing is pending, as migrate does.",
    "--skip-checks": "Skip system checks. Checks of the migrated domain always run.",
}


class Command(TerminalCommand):
    help = "Updates the database schema of one domain, or of all domains."
    requires_system_checks: list[str] = []  # The run checks its own domain.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_migrate_arguments(parser)
        add_database_option(parser)
        parser.add_argument(
            "--jobs",
            type=int,
            metavar="N",
            help="Migrate N domains in parallel, each in a separate process. Requires --all.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run_options = migrate_options(options)
        if problems := [*run_options.validate(), *domain_problems(options)]:
            raise CommandError(" ".join(problems), returncode=EXIT_USAGE)
        as_json = options["format"] == "json"
        names = None if options["all"] else [options["domain"]]
        reporting: AbstractContextManager[Reporter] = (
            nullcontext(
                JsonReporter(self, options["verbosity"], interactive=options["interactive"])
            )
            if as_json
            else console_reporter(self, run_options)
        )
        with command_errors(), stdout_for_json(options), reporting as reporter:
            result = migrate_domains(names, run_options, reporter=reporter)
        if as_json:
            print_json(self, result)
        else:
            print_result(self, result, run_options)
        print_tracebacks(self, (each.error for each in result.domains), options)
        raise_for_domains(result.domains, result.exit_status)


def add_migrate_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that say what is run in a database, and how."""
    parser.add_argument("domain", nargs="?", metavar="DOMAIN", help='A domain, or "core".')
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help=(
            "The last migration that stays applied: its name, the beginning of its name, or"
            ' APP.NAME. Defaults to the latest migration; "zero" reverts all migrations.'
        ),
    )
    for name, text in FLAGS.items():
        parser.add_argument(name, action="store_true", help=text)
    parser.add_argument(
        "--rollback",
        nargs="?",
        type=int,
        const=1,
        metavar="N",
        help="Revert the last batch, or the last N batches.",
    )
    parser.add_argument(
        "--stage",
        choices=STAGES,
        help=(
            "Apply only the migrations that are safe while the old code runs (before), or the"
            " rest (after)."
        ),
    )
    add_waiting_options(
        parser, "--lock-wait", "--lock-timeout", "--statement-timeout", "--wait-for-db"
    )
    add_format_option(parser)
    add_noinput_option(parser)


def domain_problems(options: dict[str, Any]) -> list[str]:
    """Return a sentence unless the options name one domain, or all of them."""
    is_clear = bool(options["domain"]) != options["all"]
    return [] if is_clear else ["Name either one DOMAIN or --all."]


def migrate_options(options: dict[str, Any]) -> MigrateOptions:
    """Return the parsed options as the run expects them; with JSON, the run prints nothing."""
    verbosity = 0 if options["format"] == "json" else options["verbosity"]
    return replace(
        options_for(MigrateOptions, options),
        all_domains=options["all"],
        collect_sql=options["format"] == "json",
        verbosity=verbosity,
    )
