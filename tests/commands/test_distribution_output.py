"""What `distribute_domain` prints of its result."""

from __future__ import annotations

import io

from django.core.management.base import BaseCommand

from domain_migrations.api.distribute.distribution_result import (
    DistributedDomain,
    DistributionResult,
    Status,
)
from domain_migrations.management.distribution_output import print_distribution


def printed(status: Status, *domains: DistributedDomain, **values: tuple[str, ...]) -> str:
    command = BaseCommand(stdout=io.StringIO(), no_color=True)
    result = DistributionResult(
        run="1", database="default", status=status, domains=domains, **values
    )
    print_distribution(command, result)
    return command.stdout.getvalue()


def test_what_was_done_and_what_was_done_before() -> None:
    moved = DistributedDomain(
        domain="hr", schema="hr", status="distributed", node="10.0.0.2:5432", tables=10, rows=1
    )
    earlier = DistributedDomain(
        domain="lab", schema="lab", status="unchanged", node="10.0.0.3:5432"
    )
    tables = {"reference_tables": ("public.users",), "emptied": ("hr.staff", "hr.leave")}
    assert printed("distributed", moved, earlier, **tables) == (
        "core: 1 table became a reference table\n"
        "hr: distributed, now on 10.0.0.2:5432 (10 tables, 1 row)\n"
        "lab: is distributed already on 10.0.0.3:5432\n"
        "The local rows of 2 tables were removed from the coordinator.\n"
    )


def test_a_dry_run() -> None:
    planned = DistributedDomain(
        domain="hr", schema="hr", status="planned", node=None, tables=10, rows=137
    )
    assert printed("planned", planned, reference_tables=("public.a", "public.b")) == (
        "core: 2 tables would become reference tables\n"
        "hr: would be distributed (10 tables, 137 rows)\n"
        "Nothing was changed.\n"
    )


def test_nothing_to_do() -> None:
    empty = DistributedDomain(domain="hr", schema="hr", status="unchanged", node=None)
    assert printed("unchanged", empty) == (
        "hr: is distributed already\nNothing is left to be distributed.\n"
    )
