"""``distribute_domain --check``: what a distribution would meet, for people or as JSON."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ..api.distribute.preflight import DistributionPreflight, check_distribution
from ..engine.messages import counted
from ..exceptions import EXIT_FAILED
from .console import print_json


def check(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print the obstacles of the domains.

    Raises:
        CommandError: there are some.
    """
    found = check_distribution(options["domains"], database=options["database"])
    if options["format"] == "json":
        print_json(command, found)
    else:
        print_check(command, found)
    if found.is_blocked:
        raise CommandError(f"{counted(len(found.obstacles), 'obstacle')}.", returncode=EXIT_FAILED)


def print_check(command: BaseCommand, found: DistributionPreflight) -> None:
    """Print the obstacles with their remedies, the notes, and what comes next."""
    write, style = command.stdout.write, command.style
    for each in found.obstacles:
        write(f"{style.ERROR((each.domain or 'all domains') + ':')} {each.message} [{each.id}]")
        write(f"    {each.remedy}")
    for note in found.notes:
        write(note)
    left = [name for name in found.domains if name not in found.distributed]
    if not found.is_blocked and left:
        following = style.SUCCESS(f"manage.py distribute_domain {' '.join(left)}")
        write(f"{counted(len(left), 'domain')} can be distributed. What comes next: {following}")
