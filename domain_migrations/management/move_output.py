"""``distribute_domain --move`` and ``--balance``, with their progress and their results."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ..api.distribute.domain_moves import balance_domains, move_domain
from ..api.distribute.move_results import (
    DomainMove,
    MoveOptions,
    MoveProgress,
    MoveReporter,
    MoveResult,
)
from ..engine.messages import counted
from .arguments import options_for
from .console import ConsoleReporter, JsonReporter, error_text, print_json

VERBS = {"moved": "moved", "planned": "would move", "unchanged": "is there already"}


def move(command: BaseCommand, options: dict[str, Any]) -> None:
    """Move one domain to a node, or those that balance the nodes.

    Raises:
        CommandError: a move was refused, or failed.
    """
    chosen = options_for(MoveOptions, options)
    as_json = options["format"] == "json"
    kind = MoveJsonReporter if as_json else MoveConsoleReporter
    reporter = kind(command, options["verbosity"])
    if options["balance"]:
        result = balance_domains(chosen, reporter=reporter)
    else:
        result = move_domain(options["domains"][0], options["move"], chosen, reporter=reporter)
    if as_json:
        print_json(command, result)
    elif options["verbosity"] >= 1:
        print_moves(command, result)
    if result.error:
        raise CommandError(error_text(result.error), returncode=result.exit_status)


def print_moves(command: BaseCommand, result: MoveResult) -> None:
    """Print what was moved, and from where to where."""
    for each in result.moves:
        where = f"from {each.source} to {each.target}"
        if each.status == "unchanged":
            where = f"on {each.target}"
        command.stdout.write(
            f"{each.domain}: {VERBS[each.status]}, {where}"
            f" ({counted(each.tables, 'table')}, {each.bytes // 1024} kB)"
        )
    if not result.moves and not result.error:
        command.stdout.write("Citus would move no domain: the nodes are balanced.")


class MoveConsoleReporter(ConsoleReporter, MoveReporter):
    """Prints a line when a move begins, when its phase changes, and when others block it."""

    def on_move(self, move: DomainMove) -> None:
        self.said = ""
        self.on_note(f"Moving {move.domain} from {move.source} to {move.target}.")

    def on_progress(self, move: DomainMove, progress: MoveProgress) -> None:
        said = progress.phase + "".join(progress.blockers)
        if said == self.said:
            return
        self.said = said
        copied, total = progress.copied // 1024, progress.total // 1024
        self.on_note(f"{move.domain}: {progress.phase}, {copied} of {total} kB")
        for blocker in progress.blockers:
            self.on_wait(f"Waiting for {blocker}")


class MoveJsonReporter(JsonReporter, MoveConsoleReporter):
    """Leaves standard output to the JSON object."""
