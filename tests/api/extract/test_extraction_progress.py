"""The progress of a move, as people and scripts see it."""

from __future__ import annotations

import json
import time
from io import StringIO

from django.core.management.base import BaseCommand

from domain_migrations.api.extract.extraction_progress import Progress, TableProgress
from domain_migrations.api.extract.subscriptions import Lag
from domain_migrations.management.extraction_output import print_progress
from tests.support.moving_domain import Moving

HALF = TableProgress("finance.journals", "copying", 50, 100, 8192, 16384)
READY = TableProgress("finance.lines", "ready", 7, 7, 8192, 8192)
COPYING = Progress(
    "finance",
    "default",
    "books",
    "copying",
    (HALF, READY),
    Lag(712, 0.5, True),
    0,
    "",
    "next",
    "back",
)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def printed(stream: StringIO) -> str:
    print_progress(BaseCommand(stdout=stream, no_color=True), COPYING, {"format": "text"})
    return stream.getvalue()


def test_terminals_get_a_bar() -> None:
    assert printed(Terminal()).splitlines() == [
        "finance: default to books, copying",
        "  finance.journals  [##########..........] 50 of about 100 rows, copying",
        "  finance.lines     [####################] 7 of about 7 rows, ready",
        "  lag: 712 bytes, 0.5 s",
        "What comes next: next",
        "The way back: back",
    ]
    assert "[#" not in printed(StringIO())


def test_a_copy_that_fails_is_reported_although_its_lag_may_be_small(moving_18: Moving) -> None:
    moving_18.copied()
    with moving_18.target.connect(moving_18.target_name) as session:
        session.execute("SET session_replication_role = replica")
        session.execute("INSERT INTO depot.tags (id, name) VALUES (5000, 'conflict')")
    moving_18.on_source("INSERT INTO depot.tags (id, name) VALUES (5000, 'other')")
    deadline = time.monotonic() + 60
    while True:
        report = json.loads(moving_18.done("status", "--format", "json"))
        if report["errors"]:
            break
        assert time.monotonic() < deadline
    assert report["problem"].startswith("The copy has failed ")
    assert report["lag"]["bytes"] > 0
    refused = moving_18.extract("cut-over", "--patience", "1")
    assert refused.returncode == 1
    moving_18.done("abort", "--noinput")
    assert moving_18.leftovers() == []
