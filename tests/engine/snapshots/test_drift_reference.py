"""Objects without a model, compared with the domain's snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import transaction

from domain_migrations.api.verify.verify import Verification, verify_domains
from domain_migrations.domains import get_domain
from domain_migrations.engine.catalog.drift_ids import HINT_EXTRA, HINT_SNAPSHOT
from domain_migrations.engine.snapshots import drift_reference as reference
from domain_migrations.engine.snapshots.snapshot_file import read_snapshot, snapshot_file
from domain_migrations.engine.sources.files import MigrationKey
from tests.support.catalog import execute

BY_HAND = """
CREATE OR REPLACE FUNCTION hr.leave_within_employment() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NULL; END';
COMMENT ON VIEW hr.current_staff IS 'by hand';
CREATE VIEW hr.one_more AS SELECT 1 AS one;
CREATE VIEW public.current_staff AS SELECT 1 AS decoy;
CREATE FUNCTION public.leave_within_employment() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
Use = Callable[[Callable[[dict[MigrationKey, str]], dict[MigrationKey, str]]], None]


@pytest.fixture
def migrated(migrated_module_database: str) -> Iterator[None]:
    """The sample domains; the changes of the test are rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Use:
    """Put a snapshot with other migrations in the place of hr's."""

    def put(change: Callable[[dict[MigrationKey, str]], dict[MigrationKey, str]]) -> None:
        kept = snapshot_file(get_domain("hr"))
        assert kept is not None
        snapshot = read_snapshot(kept)
        path = tmp_path / "snapshot.sql"
        path.write_text(replace(snapshot, migrations=change(dict(snapshot.migrations))).render())
        monkeypatch.setattr(reference, "snapshot_file", lambda domain: path)

    return put


def drift() -> Verification:
    return verify_domains(["hr"], only=["drift"])


def summary(found: Verification) -> list[tuple[str, str]]:
    return [(item.id, item.object) for item in (*found.findings, *found.unmanaged)]


@pytest.mark.usefixtures("migrated")
def test_objects_as_created_by_the_migrations_are_not_reported() -> None:
    assert summary(drift()) == []


@pytest.mark.usefixtures("migrated")
def test_objects_changed_dropped_or_added_by_hand_are_drift() -> None:
    execute(BY_HAND)
    found = drift()
    assert [(item.id, item.message, item.hint) for item in found.findings] == [
        (
            "D052",
            "The view hr.current_staff differs from what the migrations create.",
            HINT_SNAPSHOT,
        ),
        (
            "D052",
            "The function hr.leave_within_employment() differs from what the migrations create.",
            HINT_SNAPSHOT,
        ),
        ("D108", "The view hr.one_more exists only in the database.", HINT_EXTRA),
    ]
    assert found.unmanaged == ()
    execute("DROP FUNCTION hr.leave_within_employment() CASCADE; DROP VIEW hr.current_staff")
    assert {item.message for item in drift().findings if item.id == "D051"} >= {
        "The view hr.current_staff does not exist; the migrations create it.",
        "The function hr.leave_within_employment() does not exist; the migrations create it.",
    }


@pytest.mark.usefixtures("migrated")
def test_objects_that_later_migrations_may_change_are_left_out(use: Use) -> None:
    """0011 creates the function, 0012 adds a column and 0013 alters fields; 0010 made the view."""
    use(lambda known: {key: value for key, value in known.items() if key.name < "0011"})
    execute(BY_HAND)
    assert summary(drift()) == [
        ("D108", "hr.one_more"),
        ("U108", "hr.current_staff"),
        ("U108", "hr.leave_within_employment()"),
    ]
    execute("DELETE FROM hr.django_migrations_hr WHERE name = '0013_alter_verbose_names'")
    assert summary(drift()) == [
        ("D052", "hr.current_staff"),
        ("D108", "hr.one_more"),
        ("U108", "hr.leave_within_employment()"),
    ]


@pytest.mark.usefixtures("migrated")
def test_without_a_snapshot_that_matches_they_are_unmanaged(
    use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(BY_HAND)
    use(lambda known: {**known, MigrationKey("hr", "0010_current_staff_view"): "1:0"})
    stale = summary(drift())
    monkeypatch.setattr(reference, "snapshot_file", lambda domain: None)
    assert summary(drift()) == stale
    assert ("U108", "hr.current_staff") in stale
    assert ("D108", "hr.one_more") in stale
