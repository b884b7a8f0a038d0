"""The kinds of findings of `verify_domains`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from domain_migrations.api.verify.verify import KINDS, Verification, verify_domains
from domain_migrations.domains import get_domain
from domain_migrations.engine.runner.loader import load_domain
from domain_migrations.exceptions import DependencyNotApplied, UnknownDomain
from tests.support.catalog import execute, query, snapshot

JOURNAL_ROW = """
INSERT INTO inventory.django_migrations_inventory_journal (run, batch, app, name, direction,
    status, started, seconds, checksum, os_user, host, project_version, engine_version,
    django_version, footprint, details, error, sqlstate)
VALUES (gen_random_uuid(), 99, 'inventory', %s, 'forwards', %s, now(), 0, %s, '', '', '', '', '',
    '{}', %s, '', '')
"""


@pytest.fixture
def migrated(migrated_module_database: str) -> Iterator[None]:
    """The sample domains; the changes of the test are rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def summary(found: Verification) -> list[tuple[str, str, str, str, str, str]]:
    return [
        (item.id, item.kind, item.domain, item.object, item.message, item.hint)
        for item in found.findings
    ]


def ids(found: Verification) -> list[tuple[str, str]]:
    return [(item.id, item.object) for item in found.findings]


@pytest.mark.usefixtures("migrated")
def test_nothing_is_found_in_the_sample_domains():
    found = verify_domains()
    assert summary(found) == []
    assert {item.id[0] for item in found.unmanaged} <= {"U"}
    assert found.as_json() == {"format": 1, "database": "default", "findings": []}


def test_nothing_is_found_and_nothing_made_in_an_empty_database(scratch_database: str):
    before = snapshot()
    execute("SET default_transaction_read_only = on")
    assert summary(verify_domains()) == []
    assert snapshot() == before
    assert list(before) == ["public"]


@pytest.mark.usefixtures("migrated")
def test_reading_is_enough():
    execute("CREATE ROLE looking_at_all IN ROLE pg_read_all_data")
    execute("ALTER TABLE inventory.drugs ADD COLUMN by_hand int")
    execute("ALTER TABLE inventory.drugs ADD CONSTRAINT late CHECK (by_hand > 0) NOT VALID")
    execute("SET LOCAL ROLE looking_at_all")
    execute("SET LOCAL transaction_read_only = on")
    assert ids(verify_domains()) == [
        ("D102", "inventory.drugs.by_hand"),
        ("D104", "inventory.drugs.late"),
        ("L006", "inventory.drugs.late"),
    ]


@pytest.mark.usefixtures("migrated")
def test_only_the_given_kinds_and_domains_are_checked():
    execute("CREATE TABLE public.drugs (id int)")
    execute("CREATE VIEW hr.drugs AS SELECT id FROM inventory.drugs")
    assert ids(verify_domains()) == [
        ("L001", "public.drugs"),
        ("B002", "hr.drugs"),
        ("D108", "hr.drugs"),
    ]
    assert ids(verify_domains(["inventory"], only=["boundary"])) == [("B002", "hr.drugs")]
    assert ids(verify_domains(["hr"], only=["boundary"])) == [("B002", "hr.drugs")]
    assert ids(verify_domains(["finance"])) == []
    assert ids(verify_domains(["hr"], only=["leftover", "history", "checksum"])) == []
    assert [item.kind for item in verify_domains(only=["drift"]).findings] == ["drift", "drift"]


@pytest.mark.usefixtures("migrated")
def test_a_table_found_by_two_checks_is_reported_once():
    execute('CREATE TABLE inventory."Odd one" (id int)')
    execute("CREATE TABLE public.drugs (id int)")
    assert ids(verify_domains()) == [("L001", "public.drugs"), ("L002", 'inventory."Odd one"')]
    assert ids(verify_domains(["inventory"], only=["drift"])) == [("D101", "inventory.Odd one")]


@pytest.mark.usefixtures("migrated")
def test_a_row_without_a_file_is_found():
    execute(
        "INSERT INTO inventory.django_migrations_inventory (app, name, applied)"
        " VALUES ('inventory', '0999_gone', now())"
    )
    assert summary(verify_domains()) == [
        (
            "H001",
            "history",
            "inventory",
            "inventory.0999_gone",
            "inventory.0999_gone is in inventory.django_migrations_inventory but not on disk.",
            "Deploy the code that has it; if it is gone for good, run: manage.py repair_domain"
            " inventory --prune",
        )
    ]


@pytest.mark.usefixtures("migrated")
def test_an_interruption_is_found():
    execute(JOURNAL_ROW, "0002_stock", "running", "", '{"finished": 2}')
    assert summary(verify_domains(only=["history"])) == [
        (
            "H002",
            "history",
            "inventory",
            "inventory.0002_stock",
            "inventory.0002_stock was interrupted; operations recorded as finished: 2.",
            "Check what was changed, then run: manage.py repair_domain inventory --resume",
        )
    ]


@pytest.mark.usefixtures("migrated")
def test_an_order_that_cannot_have_been_is_found():
    execute("UPDATE hr.django_migrations_hr SET id = -1 WHERE name = '0002_leave' AND app = 'hr'")
    assert summary(verify_domains()) == [
        (
            "H003",
            "history",
            "hr",
            "hr.0002_leave",
            "hr.0002_leave was applied before hr.0001_initial, which it depends on.",
            "Check the schema with: manage.py verify_domain hr --only drift",
        )
    ]


@pytest.mark.usefixtures("migrated")
def test_a_gap_is_found():
    execute("DELETE FROM hr.django_migrations_hr WHERE name = '0001_initial'")
    assert summary(verify_domains(only=["history"]))[0] == (
        "H004",
        "history",
        "hr",
        "hr.0002_leave",
        "hr.0002_leave is applied, but hr.0001_initial, which it depends on, is not.",
        "If its changes are in the database, record it: manage.py repair_domain hr --mark-applied"
        " 0001_initial; if they are not, remove from the history what depends on it"
        " (--mark-unapplied), and apply all of them.",
    )
    with pytest.raises(DependencyNotApplied) as refused:
        load_domain(connection, get_domain("hr"))
    assert "manage.py repair_domain hr --mark-applied hr.0001_initial; if" in refused.value.hint


@pytest.mark.usefixtures("migrated")
def test_a_gap_in_core_is_found_by_whom_it_concerns():
    execute("DELETE FROM public.django_migrations WHERE app = 'core' AND name = '0001_initial'")
    found = verify_domains(["hr"], only=["history"]).findings
    assert {item.id for item in found} == {"H004"}
    assert "manage.py repair_domain core --mark-applied 0001_initial" in found[0].hint


@pytest.mark.usefixtures("migrated")
def test_an_edit_is_found_by_the_latest_checksum():
    execute(JOURNAL_ROW, "0002_stock", "done", "1:" + "0" * 64, "{}")
    # A failed run has applied nothing, and other versions of the walk cannot be compared.
    execute(JOURNAL_ROW, "0001_initial", "failed", "1:" + "0" * 64, "{}")
    execute(JOURNAL_ROW, "0003_budgets", "done", "0:" + "0" * 64, "{}")
    assert summary(verify_domains(only=["checksum"])) == [
        (
            "C001",
            "checksum",
            "inventory",
            "inventory.0002_stock",
            "inventory.0002_stock was edited after it had been applied.",
            "Revert the edit, or review it and run: manage.py repair_domain inventory"
            " --accept-checksum 0002_stock",
        )
    ]


def test_an_unknown_domain_is_named():
    with pytest.raises(UnknownDomain, match='There is no domain "inventroy"'):
        verify_domains(["inventroy"])


def test_the_kinds_are_those_of_the_contract():
    assert KINDS == ("history", "checksum", "drift", "boundary", "leftover")


@pytest.mark.usefixtures("migrated")
def test_verification_keeps_no_lock():
    verify_domains()
    held = query(
        "SELECT relation::regclass::text, mode FROM pg_locks WHERE pid = pg_backend_pid()"
        " AND mode NOT IN ('AccessShareLock') AND locktype = 'relation'"
    )
    assert held == []
    assert query("SELECT pg_current_xact_id_if_assigned()") == [(None,)]
    assert connection.in_atomic_block
