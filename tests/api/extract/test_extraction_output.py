"""What ``extract_domain`` prints: obstacles, bars on a terminal, and the copy as it grows."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from django.core.management.base import BaseCommand

from domain_migrations.api.extract.extraction_progress import Progress, TableProgress
from domain_migrations.api.extract.obstacles import Preflight
from domain_migrations.api.extract.server_obstacles import is_older
from domain_migrations.api.extract.subscriptions import Lag
from domain_migrations.api.obstacle import Obstacle
from domain_migrations.management.extraction_output import (
    print_preflight,
    print_progress,
    watch_copy,
)

TEXT = {"format": "text"}
HALF = TableProgress("inventory.drugs", "copying", 500, 1000, 8192, 16384)
COPYING = Progress(
    domain="inventory",
    source="default",
    target="lab",
    phase="copying",
    tables=(HALF, TableProgress("inventory.lots", "ready", 3, 3, 8192, 8192)),
    lag=Lag(bytes=10, seconds=1.5, active=True),
    errors=0,
    problem="Nobody receives.",
    next="status",
    back="abort",
)
COPIED = replace(COPYING, tables=(replace(HALF, state="ready", rows=1000),), problem="")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def command(stdout: StringIO) -> BaseCommand:
    return BaseCommand(stdout=stdout, no_color=True)


def test_a_terminal_shows_bars() -> None:
    terminal = Terminal()
    print_progress(command(terminal), COPYING, TEXT)
    assert terminal.getvalue() == (
        "inventory: default to lab, copying\n"
        "  inventory.drugs  [##########..........] 500 of about 1000 rows, copying\n"
        "  inventory.lots   [####################] 3 of about 3 rows, ready\n"
        "  lag: 10 bytes, 1.5 s\n"
        "Nobody receives.\n"
        "What comes next: status\n"
        "The way back: abort\n"
    )


def test_what_is_finished_says_what_may_be_dropped() -> None:
    out = StringIO()
    over = replace(COPYING, phase="finished", tables=(), lag=None, problem="", next="", back="")
    print_progress(command(out), over, TEXT)
    assert out.getvalue() == (
        "inventory: default to lab, finished\n"
        'The tables in "default" are kept, and refuse writes. When nobody reads them any more,'
        ' drop them there: DROP SCHEMA "inventory" CASCADE;\n'
    )


def test_the_copy_is_watched_until_it_is_there() -> None:
    terminal, reads = Terminal(), iter([COPYING, COPIED])
    assert watch_copy(command(terminal), lambda: next(reads), 5, TEXT) is COPIED
    assert terminal.getvalue() == "\r1 of 2 tables, 503 rows\n"


def test_the_copy_is_watched_until_it_is_there__no_terminal() -> None:
    out = StringIO()
    assert watch_copy(command(out), lambda: COPYING, 0, TEXT) is COPYING
    assert out.getvalue() == ""


def test_obstacles_have_their_remedies_under_them() -> None:
    out = StringIO()
    found = Preflight(
        (Obstacle("lab", "wal_level", "wal_level is replica.", "ALTER SYSTEM …"),),
        ("1 trigger: not run for copied rows.",),
        0,
        3,
    )
    print_preflight(command(out), "inventory", "lab", found, TEXT)
    assert out.getvalue() == (
        "lab: wal_level is replica.\n    ALTER SYSTEM …\n1 trigger: not run for copied rows.\n"
    )


def test_versions_of_extensions() -> None:
    assert is_older("1.9", "1.10")
    assert not is_older("1.10", "1.10")
    assert is_older("3.4.0dev", "3.4.1")
