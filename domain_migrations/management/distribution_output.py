"""The output of ``distribute_domain``."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from ..api.distribute.distribution_result import DistributedDomain, DistributionResult
from ..api.distribute.plan import reference_tables
from ..engine.messages import counted


def print_distribution(command: BaseCommand, result: DistributionResult) -> None:
    """Print what was distributed, and where it is."""
    write = command.stdout.write
    verb = "would become" if result.status == "planned" else "became"
    if number := len(result.reference_tables):
        write(f"core: {counted(number, 'table')} {verb} {reference_tables(number)}")
    for domain in result.domains:
        write(f"{domain.domain}: {_described(domain)}")
    if result.emptied:
        tables = counted(len(result.emptied), "table")
        write(f"The local rows of {tables} were removed from the coordinator.")
    if result.status == "planned":
        write("Nothing was changed.")
    elif result.status == "unchanged" and not result.error:
        write("Nothing is left to be distributed.")


def _described(domain: DistributedDomain) -> str:
    amount = f"{counted(domain.tables, 'table')}, {counted(domain.rows, 'row')}"
    if domain.status == "planned":
        return f"would be distributed ({amount})"
    place = f" on {domain.node}" if domain.node else ""
    if domain.status == "unchanged":
        return f"is distributed already{place}"
    return f"distributed, now{place} ({amount})"
