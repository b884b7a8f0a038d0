"""Histories that lack rows, or have rows that belong elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain_migrations.api.verify.verify import verify_domains
from tests.support.business import rolled_back
from tests.support.catalog import execute

HISTORY = "hr.django_migrations_hr"


@pytest.fixture(autouse=True)
def migrated(migrated_module_database: str) -> Iterator[None]:
    with rolled_back():
        yield


def found() -> list[tuple[str, str]]:
    return [(finding.id, finding.object) for finding in verify_domains().findings]


@pytest.mark.parametrize(
    ("lost", "next_one"),
    [
        ("0001_initial", "0002_leave"),
        ("0002_leave", "0003_titles_in_two_languages"),
        ("0012_assignment_location", "0013_alter_verbose_names"),
    ],
)
def test_a_lost_row_is_found_and_the_tables_are_compared_all_the_same(
    lost: str, next_one: str
) -> None:
    execute(f"DELETE FROM {HISTORY} WHERE name = %s", lost)
    execute("ALTER TABLE hr.employees ADD COLUMN by_hand int")
    assert found() == [("H004", f"hr.{next_one}"), ("D102", "hr.employees.by_hand")]


def test_a_lost_migration_whose_changes_are_missing_too_is_found() -> None:
    execute(f"DELETE FROM {HISTORY} WHERE name = '0002_leave'")
    execute("DROP TABLE hr.leave_balances")
    assert found() == [
        ("H004", "hr.0003_titles_in_two_languages"),
        ("D001", "hr.leave_balances"),
    ]


@pytest.mark.parametrize(
    "loss", [f"DELETE FROM {HISTORY}", f"DROP TABLE {HISTORY}", f"DROP TABLE {HISTORY}_journal"]
)
def test_tables_without_a_history_are_found(loss: str) -> None:
    execute(f"DELETE FROM {HISTORY}")
    execute(loss)
    (finding,) = verify_domains(["hr"]).findings
    assert (finding.id, finding.object) == ("H007", HISTORY)
    assert finding.message.startswith(f"{HISTORY} has no rows, but ")
    assert "hr.assignments, hr.employees, " in finding.message
    assert "manage.py migrate_domain hr --fake;" in finding.hint


def test_the_lost_history_of_core_is_found_and_the_domains_are_compared() -> None:
    execute("DELETE FROM public.django_migrations")
    assert found()[0] == ("H007", "public.django_migrations")
    assert {number for number, _ in found()} == {"H004", "H007"}


@pytest.mark.parametrize("app", ["finance", "core"])
def test_a_row_of_another_domain_is_found(app: str) -> None:
    execute(f"INSERT INTO {HISTORY} (app, name, applied) VALUES (%s, '0001_initial', now())", app)
    (finding,) = verify_domains().findings
    assert (finding.id, finding.domain, finding.object) == ("H008", "hr", f"{app}.0001_initial")
    assert finding.message == (
        f"{app}.0001_initial is in {HISTORY}, but its app belongs to the domain"
        f' "{app}", so the row does not count.'
    )
