"""Arguments of the commands for fleets: the sites, the access to them, and how many at a time."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError

from ..api.fleet.fleet import FleetOptions
from ..api.fleet.site_access import SiteAccess
from ..api.fleet.site_file import SiteFile, read_sites
from ..api.fleet.sites import Site, chosen_sites, sites_of_databases
from ..exceptions import EXIT_USAGE
from .arguments import options_for


class ChosenFleet(NamedTuple):
    """The sites that the arguments choose, and how a command goes through them."""

    sites: list[Site]
    options: FleetOptions
    access: SiteAccess


def add_site_arguments(parser: ArgumentParser) -> None:
    """Add what says where the sites are, and how many of them are worked on."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--sites",
        type=Path,
        metavar="FILE",
        help="A file with NAME and DSN of a site on each line; ${VARIABLE} is the environment's.",
    )
    source.add_argument(
        "--databases",
        metavar="GLOB",
        help='The aliases of DATABASES that are sites, such as "branch_*".',
    )
    parser.add_argument(
        "--site",
        action="append",
        default=[],
        metavar="NAME",
        dest="site_names",
        help="Only this site, or those that match a pattern. Can be repeated.",
    )
    parser.add_argument(
        "--password-command",
        metavar="COMMAND",
        help="Prints the password of the site that {site} in it, or DOMAIN_MIGRATIONS_SITE, names.",
    )
    parser.add_argument(
        "--parallel",
        type=int,
        default=8,
        metavar="N",
        help="How many sites at a time. Defaults to 8.",
    )
    parser.add_argument(
        "--site-timeout",
        type=float,
        metavar="SECONDS",
        help="How long a site may take before it is stopped. Defaults to any time.",
    )


def chosen_fleet(command: BaseCommand, options: dict[str, Any], *problems: str) -> ChosenFleet:
    """Return the fleet that the options choose, before anything is run.

    Arguments:
        problems: sentences about other options, which are reported together with these.

    Raises:
        CommandError: an option is invalid.
        InvalidSites: the sites are.
    """
    fleet = options_for(FleetOptions, options)
    command_line = SiteAccess(options["password_command"])
    if found := [*problems, *fleet.validate(), *command_line.validate()]:
        raise CommandError(" ".join(found), returncode=EXIT_USAGE)
    if options["sites"] is not None:
        file = read_sites(options["sites"])
    else:
        file = SiteFile(tuple(sites_of_databases(options["databases"])))
    if file.warning:
        command.stderr.write(command.style.WARNING(f"Warning: {file.warning}"))
    access = SiteAccess(options["password_command"], file.variables)
    return ChosenFleet(chosen_sites(file.sites, options["site_names"]), fleet, access)
