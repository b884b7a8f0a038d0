"""`show_domains`: what it prints of each domain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.business import rolled_back
from tests.support.catalog import execute
from tests.support.commands import Result

Call = Callable[..., Result]

BEGUN = """
INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status, started,
    seconds, checksum, os_user, host, project_version, engine_version, django_version, footprint,
    details, error, sqlstate)
VALUES (gen_random_uuid(), 9, 'hr', '0006_index_employee_names', %s, 'running', now(), 0, '', '',
    '', '', '', '', '{}', '{"finished": 1}', '', '')
"""
LINE = (
    "  [!] hr.0006_index_employee_names (interrupted; to resume it, run: manage.py repair_domain"
    " hr --resume)"
)


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
def test_interrupted_migration_is_marked(
    migrated_module_database: str, call: Call, direction: str
) -> None:
    with rolled_back():
        if direction == "forwards":
            execute("DELETE FROM hr.django_migrations_hr WHERE name >= '0006'")
        execute(BEGUN, direction)
        lines = call("show_domains", "hr", "finance").stdout.splitlines()
        told = [call("showmigrations", *apps).stderr for apps in ([], ["hr"], ["finance"])]
    assert LINE in lines
    resume = (
        "hr.0006_index_employee_names was interrupted; to resume it, run: manage.py repair_domain"
    )
    assert [resume in text for text in told] == [True, True, False]
    assert "  [ ] hr.0006_index_employee_names" not in lines
    assert ("  [ ] hr.0009_no_overlaps" in lines) == (direction == "forwards")
    assert sum("[!]" in line for line in lines) == 1


def test_time_of_the_last_change_has_its_zone(migrated_module_database: str, call: Call) -> None:
    with rolled_back():
        execute("UPDATE hr.django_migrations_hr SET applied = '2026-11-22 10:00Z'")
        execute(
            "INSERT INTO hr.django_migrations_hr (app, name, applied)"
            " SELECT app, name, applied FROM hr.django_migrations_hr WHERE name = '0001_initial'"
        )
        shown = call("show_domains", "hr", verbosity=2).stdout
    assert "; last change 2026-11-22 17:00:00 +07\n" in shown
    assert "  13 applied, " in shown, "a row that is there twice counts once"
    assert "  [X] hr.0001_initial (2026-11-22 17:00:00 +07)\n" in shown
