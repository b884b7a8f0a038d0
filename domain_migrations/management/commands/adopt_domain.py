from __future__ import annotations

import datetime
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS

from ...api import MigrateOptions
from ...api.adopt import adopt
from ...exceptions import EXIT_FAILED, EXIT_USAGE
from ..adoption_output import print_plan
from ..arguments import (
    add_database_option,
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

WRITES = "This changes the files above."
UNDOES = "This changes the files above, and moves the tables back."


class Command(TerminalCommand):
    help = "Makes existing apps a domain, in the code and by the next run on each database."
    requires_system_checks: list[str] = []  # The plan runs them on the edited code.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="The name of the domain.")
        parser.add_argument(
            "--apps", metavar="APPS", help="Labels of apps, with commas. Defaults to DOMAIN."
        )
        parser.add_argument("--schema", help="Defaults to the domain's name.")
        parser.add_argument(
            "--table",
            action="append",
            default=[],
            metavar="OLD=NEW",
            help="Rename a table; others keep their names in the new schema.",
        )
        parser.add_argument(
            "--compat-views",
            type=int,
            metavar="DAYS",
            help="Leave views under the old names, for old code that still runs.",
        )
        parser.add_argument(
            "--count-rows", action="store_true", help="Count the rows instead of estimating them."
        )
        parser.add_argument(
            "--skip-proof",
            action="store_true",
            help="Do not apply core and the domain to an empty database.",
        )
        parser.add_argument("--write", action="store_true", help="Write the edits to the code.")
        parser.add_argument(
            "--undo", action="store_true", help="Put the code and this database back."
        )
        parser.add_argument(
            "--all", action="store_true", help="With --undo: every adoption of the project."
        )
        add_database_option(parser, f'"{DEFAULT_DB_ALIAS}"')
        add_waiting_options(parser, "--lock-wait", "--lock-timeout", "--statement-timeout")
        add_format_option(parser)
        add_noinput_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if problem := _problem(options):
            raise CommandError(problem, returncode=EXIT_USAGE)
        with command_errors(), stdout_for_json(options):
            if options["undo"]:
                self._undo(options)
            else:
                self._adopt(options)

    def _adopt(self, options: dict[str, Any]) -> None:
        days = options["compat_views"]
        today = datetime.datetime.now(tz=datetime.UTC).date()
        plan = adopt.plan_adoption(
            options["domain"],
            [label.strip() for label in (options["apps"] or "").split(",") if label.strip()],
            schema=options["schema"],
            tables=dict(pair.split("=", 1) for pair in options["table"]),
            compat_views_until=None if days is None else today + datetime.timedelta(days=days),
            database=options["database"] or DEFAULT_DB_ALIAS,
            count=options["count_rows"],
            prove=not options["skip_proof"],
        )
        self._show_and_ask(plan, options, WRITES if options["write"] and plan.code else "")
        if options["write"]:
            plan = adopt.write_adoption(plan)
        self._end(plan, options)

    def _undo(self, options: dict[str, Any]) -> None:
        found = adopt.declared_adoptions(None if options["all"] else options["domain"])
        if not found:
            raise CommandError(
                f"No adoption of {options['domain'] or 'any domain'} is declared.",
                returncode=EXIT_USAGE,
            )
        reporter = (JsonReporter if options["format"] == "json" else ConsoleReporter)(
            self, options["verbosity"]
        )
        database = options["database"] or DEFAULT_DB_ALIAS
        for adoption in found:
            plan = adopt.plan_undoing(adoption, database=database)
            self._show_and_ask(plan, options, UNDOES)
            plan = adopt.undo_adoption(plan, options_for(MigrateOptions, options), reporter)
            self._end(plan, options)

    def _show_and_ask(self, plan: adopt.AdoptionPlan, options: dict[str, Any], effect: str) -> None:
        if options["format"] == "text":
            print_plan(self, plan)
        if effect and options["interactive"] and sys.stdin.isatty() and not plan.blockers:
            ask_to_continue(self.stderr, effect)

    def _end(self, plan: adopt.AdoptionPlan, options: dict[str, Any]) -> None:
        """Print the result, and fail if something blocks the plan."""
        if options["format"] == "json":
            print_json(self, plan)
        elif plan.is_written:
            name = plan.adoption.domain
            if plan.proof:
                prove = self.style.SUCCESS(f"manage.py prove_domain {name}")
                self.stdout.write(f"Edit the SQL in migrations by hand, until this passes: {prove}")
            follows = "migrate" if plan.backwards else f"migrate_domain {name}"
            next_step = self.style.SUCCESS(f"manage.py {follows}")
            self.stdout.write(f"The files were written. On each database: {next_step}")
        if plan.blockers or (plan.proof and not plan.is_written):
            count = len(plan.blockers) or 1
            raise CommandError(
                f"{count} {'thing blocks' if count == 1 else 'things block'} the adoption.",
                returncode=EXIT_FAILED,
            )


def _problem(options: dict[str, Any]) -> str:
    """Return what is wrong with the options, as a sentence."""
    if options["undo"] and options["write"]:
        return "--undo writes the files, too; omit --write."
    if options["all"] and not options["undo"]:
        return "--all needs --undo."
    if bool(options["domain"]) == options["all"]:
        return "Name either one DOMAIN, or --undo --all."
    if any("=" not in pair for pair in options["table"]):
        return "--table takes OLD=NEW, both without a schema."
    if options["compat_views"] is not None and options["compat_views"] < 1:
        return "--compat-views takes a number of days, 1 or more."
    return ""
