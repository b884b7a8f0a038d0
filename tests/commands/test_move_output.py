"""The text of checks and of moves between the nodes of a cluster."""

from __future__ import annotations

from io import StringIO

from django.core.management.base import BaseCommand

from domain_migrations.api.distribute.move_results import DomainMove, MoveProgress, MoveResult
from domain_migrations.api.distribute.preflight import DistributionPreflight
from domain_migrations.api.obstacle import Obstacle
from domain_migrations.management.distribution_check import print_check
from domain_migrations.management.move_output import MoveConsoleReporter, print_moves

MOVE = DomainMove(
    domain="hr", schema="hr", source="a:1", target="b:2", tables=10, bytes=4096, status="moved"
)


def command() -> BaseCommand:
    return BaseCommand(stdout=StringIO(), stderr=StringIO(), no_color=True)


def text(of: BaseCommand) -> str:
    return of.stdout.getvalue()


def test_moves() -> None:
    printed = command()
    there = DomainMove(
        domain="lab", schema="lab", source="b:2", target="b:2", tables=1, bytes=0,
        status="unchanged",
    )  # fmt: skip
    print_moves(
        printed, MoveResult(run="", database="default", status="moved", moves=(MOVE, there))
    )
    assert text(printed) == (
        "hr: moved, from a:1 to b:2 (10 tables, 4 kB)\n"
        "lab: is there already, on b:2 (1 table, 0 kB)\n"
    )


def test_balanced_nodes() -> None:
    printed = command()
    print_moves(printed, MoveResult(run="", database="default", status="unchanged"))
    assert text(printed) == "Citus would move no domain: the nodes are balanced.\n"


def test_progress_is_printed_when_it_changes() -> None:
    printed = command()
    reporter = MoveConsoleReporter(printed, 1)
    reporter.on_move(MOVE)
    reporter.on_progress(MOVE, MoveProgress("Catching Up", 1024, 4096))
    reporter.on_progress(MOVE, MoveProgress("Catching Up", 2048, 4096))
    reporter.on_progress(MOVE, MoveProgress("Catching Up", 4096, 4096, ("pid 7, idle",)))
    lines = [line.strip() for line in (text(printed) + printed.stderr.getvalue()).splitlines()]
    assert lines == [
        "Moving hr from a:1 to b:2.",
        "hr: Catching Up, 1 of 4 kB",
        "hr: Catching Up, 4 of 4 kB",
        "Waiting for pid 7, idle",
    ]


def test_check() -> None:
    printed = command()
    found = Obstacle("default", "hr.f()", "hr.f() is odd.", "DROP it;", id="odd", domain="hr")
    print_check(printed, DistributionPreflight("default", ("hr",), (), (found,), ("Kept.",), 1, 2))
    assert text(printed) == "hr: hr.f() is odd. [odd]\n    DROP it;\nKept.\n"

    printed = command()
    print_check(
        printed, DistributionPreflight("default", ("hr", "lab"), ("lab",), (), ("Kept.",), 1, 2)
    )
    assert text(printed) == (
        "Kept.\n1 domain can be distributed. What comes next: manage.py distribute_domain hr\n"
    )
