"""Histories, journals and seed ledgers that were edited by hand: a sentence, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.faults import edits
from tests.faults.clinic import Clinic, Outcome, open_clinic
from tests.faults.driver import ADMIN, ALL
from tests.faults.judge import faults
from tests.support.servers import TestServer

FEW_EDITS = (
    "history: last row deleted",
    "history: every row doubled",
    "history: last row at infinity",
    "h.applied as date",
    "h as a VIEW",
    "h whose trigger swallows rows",
    "h with row level security",
    "journal: details '[]'",
    "j.sqlstate dropped",
    "j with a column to be filled",
)
FEW_ACTIONS = (
    "show_domains --format json",
    "verify_domain lab --only history",
    f"{ADMIN}domain/lab/",
    "/ready/",
    "migrate_domain lab --noinput",
)
SHORT_EDITS = (
    *("history: name null", "history: every row at BC", "h.name as bytea", "h dropped"),
    *("h inherited", "j as a VIEW", "j whose rule swallows rows", "journal: batch 2147483647"),
    *("journal: extract row 2", "journal: running of no migration []", "s.tables dropped"),
    *("seed rows: values '5'", "h of another owner, unreadable", "j revoked"),
)


def report(found: Sequence[Outcome]) -> str:
    return "\n".join(faults(found))


@pytest.fixture(scope="module")
def clinic(
    postgres_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clinic]:
    with open_clinic(postgres_server, tmp_path_factory.mktemp("edited")) as opened:
        yield opened


def test_edited_tables(clinic: Clinic) -> None:
    every = edits.every_edit()
    found = clinic.try_edits({name: every[name] for name in FEW_EDITS}, FEW_ACTIONS)
    assert not faults(found), report(found)
    said = {(outcome.edit, outcome.action): outcome for outcome in found}
    migrated = "migrate_domain lab --noinput"
    for edit, sentence in (
        (
            "h.applied as date",
            '"applied" of lab.django_migrations_lab has the type date',
        ),
        ("h as a VIEW", "lab.django_migrations_lab is a view, not the table that"),
        (
            "h whose trigger swallows rows",
            "lab.django_migrations_lab does not keep what is",
        ),
        ("h with row level security", "Row-level security hides rows of lab.django_migrations_lab"),
        ("j.sqlstate dropped", 'lab.django_migrations_lab_journal lacks the column "sqlstate"'),
        ("j with a column to be filled", "to lab.django_migrations_lab_journal, or has taken"),
    ):
        outcome = said[edit, migrated]
        assert (outcome.status, sentence in outcome.text) == (1, True), outcome.text
        assert outcome.tallies is not None
        assert outcome.tallies["lab"] == {"0001_initial": 1, "0002_step": 1}
    lost = said["history: last row deleted", "verify_domain lab --only history"]
    assert (lost.status, "H011 lab.0002_step is not in " in lost.text) == (1, True), lost.text
    assert "repair_domain lab --mark-applied 0002_step" in lost.text
    shown = said["h as a VIEW", "show_domains --format json"]
    assert (shown.status, '"domain": "ward"' in shown.text) == (1, True)
    assert '"code": "changed_table"' in shown.text


@pytest.mark.slow_stress
def test_every_command_and_page(clinic: Clinic, stress_size: str) -> None:
    every = edits.every_edit()
    names = list(every) if stress_size == "full" else [*FEW_EDITS[::3], *SHORT_EDITS]
    actions = ALL if stress_size == "full" else ALL[::4]
    found = clinic.try_edits({name: every[name] for name in names}, actions)
    assert not faults(found), report(found)


@pytest.mark.slow_stress
def test_edited_tables_of_core(clinic: Clinic, stress_size: str) -> None:
    every = edits.every_edit()
    names = list(every) if stress_size == "full" else FEW_EDITS[3:7]
    actions = ALL if stress_size == "full" else ALL[::12]
    found = clinic.try_edits({name: every[name] for name in names}, actions, domain="core")
    assert not faults(found), report(found)
