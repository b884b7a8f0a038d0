"""Arguments that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import fields
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections

Options = TypeVar("Options")


def options_for(dataclass: type[Options], options: dict[str, Any]) -> Options:
    """Return an object of the dataclass with those of the command's options that it has."""
    names = {field.name for field in fields(dataclass)}  # type: ignore[arg-type]
    return dataclass(**{name: value for name, value in options.items() if name in names})


def add_domain_arguments(parser: ArgumentParser, nargs: str = "*") -> None:
    """Add the names of domains as positional arguments; all domains by default."""
    text = "A domain." if nargs == "+" else "Defaults to all domains."
    parser.add_argument("domains", nargs=nargs, metavar="DOMAIN", help=text)


def add_database_option(
    parser: ArgumentParser,
    default: str = f'each domain\'s own database, usually "{DEFAULT_DB_ALIAS}"',
) -> None:
    """Add ``--database``, restricted to the configured aliases."""
    parser.add_argument(
        "--database",
        choices=tuple(connections),
        help=f"An alias in DATABASES. Defaults to {default}.",
    )


def add_format_option(parser: ArgumentParser) -> None:
    """Add ``--format``, text or JSON."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="The format of the output."
    )


def add_noinput_option(parser: ArgumentParser) -> None:
    """Add ``--noinput``, spelled and worded as Django's."""
    parser.add_argument(
        "--noinput",
        "--no-input",
        action="store_false",
        dest="interactive",
        help="Do not prompt for input of any kind.",
    )


def add_waiting_options(parser: ArgumentParser, *names: str) -> None:
    """Add some of the options that limit a time, each in seconds."""
    times = {
        "--lock-wait": "How long to wait for another run to end. Defaults to LOCK_WAIT.",
        "--lock-timeout": "How long a statement may wait for a lock. Defaults to LOCK_TIMEOUT.",
        "--statement-timeout": "How long a statement may run. Defaults to STATEMENT_TIMEOUT.",
        "--wait-for-db": "How long to wait for the database to answer. Defaults to 0.",
    }
    for name in names:
        parser.add_argument(
            name,
            type=float,
            metavar="SECONDS",
            default=0.0 if name == "--wait-for-db" else None,
            help=times[name],
        )
