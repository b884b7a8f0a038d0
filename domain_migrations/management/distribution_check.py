"""The output of ``distribute_domain --check``."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from ..api.distribute.preflight import DistributionPreflight
from ..engine.messages import counted


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
