"""Seeding twice at once, and a killed seeder: all or nothing, and once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping

import pytest
from django.test import override_settings

from tests.api.seed.conftest import Write, counts, forms
from tests.support.catalog import execute, query
from tests.support.commands import ROOT, call, process_environment
from tests.support.servers import TestServer
from tests.support.sessions import INVENTORY, advisory_locks, other_session, running, until

SEEDER = """
import pathlib, sys
from django.core.management import execute_from_command_line
import django
django.setup()
from domain_migrations.api.seed import seed_files as files
files.seeds_folder = lambda label: pathlib.Path(sys.argv[1]) / label / "seeds"
execute_from_command_line(["manage.py", "seed_domain", "inventory"])
"""
FORMS = "# model: DosageForm\ncode,name\n" + "".join(f"C{n},Form {n}\n" for n in range(2000))
WAITING = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"


def start(folder: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SEEDER, folder],
        cwd=ROOT,
        env=process_environment({**environment, "DJANGO_SETTINGS_MODULE": "config.settings"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_seeders_at_once(
    seeds: Write, migrated_database: str, postgres_server: TestServer
) -> None:
    """The one that comes second finds that nothing is left to do."""
    folder = str(seeds("001_forms.csv", FORMS).parents[2])
    environment = postgres_server.environment(migrated_database)
    processes = [start(folder, environment) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted("unchanged\ninventory: nothing to do\n" in one for one in outputs) == [
        False,
        True,
    ]
    assert sorted("2000 inserted, 0 updated, 0 kept" in one for one in outputs) == [False, True]
    assert len(forms()) == 2000
    assert query(
        "SELECT count(*) FROM inventory.django_migrations_inventory_journal"
        " WHERE direction = 'seed'"
    ) == [(1,)]


def test_kill_in_the_middle(
    seeds: Write, migrated_database: str, postgres_server: TestServer
) -> None:
    """Stopped at the second table, with the first one's rows written."""
    path = seeds(
        "001_all.yaml",
        "DosageForm: [{code: A, name: A}, {code: B, name: B}]\nDrugUnit: [{code: MG, name: mg}]\n",
    )
    busy = "LOCK TABLE inventory.drug_units IN SHARE MODE"
    with other_session(postgres_server, migrated_database, busy):
        process = start(str(path.parents[2]), postgres_server.environment(migrated_database))
        until(lambda: query(WAITING, "seed_domain inventory"))
        process.kill()
        process.communicate()
    until(lambda: advisory_locks() == 0)
    assert forms() == {}
    assert query("SELECT count(*) FROM inventory.django_seeds_inventory") == [(0,)]
    assert query("SELECT count(*) FROM inventory.django_seeds_inventory_rows") == [(0,)]

    assert counts() == (3, 0, 0)


@pytest.mark.usefixtures("migrated_database")
def test_a_run_has_the_lock(seeds: Write) -> None:
    seeds("001_forms.csv", FORMS)
    with running(INVENTORY):
        result = call("seed_domain", "inventory", "--lock-wait", "0")
    assert result.exit_status == 75
    assert 'Could not acquire the lock of "inventory" within 0 s' in result.stderr
    assert forms() == {}


@pytest.mark.usefixtures("migrated_database")
@pytest.mark.parametrize("command", ["seed_domain", "migrate_domain"])
def test_json_output_reports_blockers_on_standard_error(seeds: Write, command: str) -> None:
    seeds("001_forms.csv", FORMS)
    target = ["0018"] if command == "migrate_domain" else []
    with running(INVENTORY) as (other,):
        options = ["--lock-wait", "0.2", "--format", "json"]
        waited = call(command, "inventory", *target, *options)
        quiet = call(command, "inventory", *target, *options, "-v0")
    assert f'Waiting for the lock of "inventory": pid {other.pid} (user ' in waited.stderr
    assert "Waiting" not in quiet.stderr
    for result in (waited, quiet):
        assert (result.exit_status, json.loads(result.stdout)["format"]) == (75, 1)


def test_local_changes_made_while_the_seed_waits_are_kept(
    seeds: Write, migrated_database: str, postgres_server: TestServer
) -> None:
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: One}]")
    counts()
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: Two}]")
    change = "UPDATE inventory.dosage_forms SET name = 'Mine'"
    with other_session(postgres_server, migrated_database, change) as (site, _):
        timer = threading.Timer(1.0, site.commit)
        timer.start()
        assert counts() == (0, 0, 1)
        timer.join()
    assert forms() == {"A": "Mine"}


def test_rows_that_go_while_the_seed_waits_for_them(
    seeds: Write, migrated_database: str, postgres_server: TestServer
) -> None:
    """Those that it has seeded stay away; those that it has not are inserted."""
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,One\n")
    counts()
    execute("INSERT INTO inventory.dosage_forms (code, name) VALUES ('B', 'Ours'), ('C', 'Ours')")
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,Two\nB,Two\nC,Two\nD,Two\n")
    change = (
        "DELETE FROM inventory.dosage_forms WHERE code IN ('A', 'B');"
        " UPDATE inventory.dosage_forms SET code = 'Z'"
    )
    with other_session(postgres_server, migrated_database, change) as (site, _):
        timer = threading.Timer(1.0, site.commit)
        timer.start()
        assert counts() == (3, 0, 1)
        timer.join()
    assert forms() == {"B": "Two", "C": "Two", "D": "Two", "Z": "Ours"}
    assert counts("--force") == (0, 0, 1)


def test_retry_reports_the_session_that_holds_the_lock(
    seeds: Write, migrated_database: str, postgres_server: TestServer
) -> None:
    seeds("001_forms.csv", FORMS)
    busy = "LOCK TABLE inventory.dosage_forms IN SHARE MODE"
    settings = {"LOCK_TIMEOUT": 0.5, "RETRIES": 1}
    with (
        other_session(postgres_server, migrated_database, busy),
        override_settings(DOMAIN_MIGRATIONS=settings),
    ):
        result = call("seed_domain", "inventory")
    assert result.exit_status == 1
    assert "inventory.001_forms.csv was rolled back: lock timeout, blocked by pid " in result.stdout
    assert "(1 of 1)." in result.stdout
    assert forms() == {}
    rows = query(
        "SELECT name, status FROM inventory.django_migrations_inventory_journal"
        " WHERE direction = 'seed'"
    )
    assert rows == [("001_forms.csv", "failed")]
