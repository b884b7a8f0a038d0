"""The options of commands that declare the history of another tool."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ..api.inspect.history_choice import HistoryOptions
from ..engine.catalog.other_tools.tools import TOOLS
from ..exceptions import EXIT_USAGE

OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "table": (
        "--history-table",
        {
            "metavar": "TABLE",
            "help": "Its table, if it is not the usual one in the schema or in public.",
        },
    ),
    "only": (
        "--history-only",
        {
            "action": "append",
            "metavar": "NAME",
            "help": "The app or project whose rows are meant, where several share the table. Can be"
            " given more than once.",
        },
    ),
    "time_zone": (
        "--history-time-zone",
        {
            "metavar": "ZONE",
            "help": "The zone of the tool's times, such as Asia/Bangkok, where they have none.",
        },
    ),
    "keep_days": (
        "--history-keep",
        {
            "type": int,
            "metavar": "DAYS",
            "help": "After how many days verify_domain reports that the tool's table is still"
            " there.",
        },
    ),
}
"""Attribute of ``HistoryOptions`` → the option, and its arguments."""


def add_history_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--history",
        choices=sorted(TOOLS),
        metavar="TOOL",
        help=f"Bring another tool's history into the journal: {', '.join(sorted(TOOLS))}.",
    )
    for option, arguments in OPTIONS.values():
        parser.add_argument(option, **arguments)


def history_options(options: dict[str, Any]) -> HistoryOptions | None:
    """Return what was given; None without ``--history``.

    Raises:
        CommandError: something about a history was given without it.
    """
    given = {
        name: value
        for name, (option, _) in OPTIONS.items()
        if (value := options[option.removeprefix("--").replace("-", "_")]) is not None
    }
    if options["history"] is not None:
        given["only"] = tuple(given.get("only", ()))
        return HistoryOptions(tool=options["history"], **given)
    if given:
        names = [option for option, _ in OPTIONS.values()]
        raise CommandError(
            f"{', '.join(names[:-1])} and {names[-1]} need --history TOOL.", returncode=EXIT_USAGE
        )
    return None
