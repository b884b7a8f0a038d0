"""The result of a run in a few words."""

from __future__ import annotations

import pytest

from domain_migrations.api import MigrateOptions
from domain_migrations.engine.runner.adoption_results import AppliedMove
from domain_migrations.engine.runner.results import DomainResult, Status
from domain_migrations.management.run_output import _dry_run_summary, summary

TABLES = AppliedMove(("lab",), False, "public", "lab", 1, 2)
VIEWS = AppliedMove(("lab",), False, "public", "lab", 0, 0, dropped_views=3)


@pytest.mark.parametrize(
    ("status", "moves", "expected"),
    [
        ("migrated", (TABLES,), "1 table moved in 0.0 s"),
        ("migrated", (TABLES, VIEWS), "1 table moved, 3 views dropped in 0.0 s"),
        ("migrated", (VIEWS,), "3 views dropped in 0.0 s"),
        ("planned", (VIEWS,), "3 views to drop"),
        ("pending", (TABLES,), "1 table to move"),
    ],
)
def test_summary_names_what_an_adoption_does(
    status: Status, moves: tuple[AppliedMove, ...], expected: str
) -> None:
    assert summary(DomainResult("lab", "lab", None, status, adoptions=moves)) == expected


def test_a_dry_run_names_the_adoption() -> None:
    tried = DomainResult("lab", "lab", None, "planned", adoptions=(TABLES,))
    assert _dry_run_summary(tried, MigrateOptions(dry_run=True)) == "1 table moved and rolled back"
    without = tried._replace(adoptions=())
    assert _dry_run_summary(without, MigrateOptions(dry_run=True)) == "0 run and rolled back"
