"""Snapshots restored instead of hr's migrations, and the reasons for not restoring them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from domain_migrations.engine.runner import snapshot_restore as restoring
from domain_migrations.engine.snapshots.snapshot_file import (
    Snapshot,
    join_statements,
    read_snapshot,
    snapshot_file,
)
from domain_migrations.engine.sources.files import MigrationKey, migrations_on_disk
from tests.engine.runner.test_failure_injection import MESSAGE, failing_at
from tests.support.catalog import execute, histories, query, schemas, snapshot, tables
from tests.support.commands import ROOT, Result, process_environment
from tests.support.servers import TestServer
from tests.support.sessions import advisory_locks, other_session, until

Call = Callable[..., Result]

NAMES = sorted(name for _, name in migrations_on_disk(["hr"]))
JOURNAL = """
SELECT name, status, direction, batch, details->>'snapshot', checksum <> '', footprint <> '{}'
FROM hr.django_migrations_hr_journal ORDER BY id
"""
WRITTEN_BY = """
SELECT count(DISTINCT (run, database_user, os_user, host, project_version, engine_version,
                       django_version)) FROM hr.django_migrations_hr_journal
"""
CHECKSUMS = """
SELECT checksum FROM hr.django_migrations_hr_journal WHERE direction = 'forwards' ORDER BY id
"""
DECOY = "CREATE TABLE public.decoy (id int CONSTRAINT employees_pkey PRIMARY KEY, note text)"
SAID = 'The snapshot of the domain "hr" does not match its migrations: {reason} ({path}).'
RERUN = "To renew it, run: manage.py snapshot_domain hr"
WAITING = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture(scope="module")
def replayed(migrated_module_database: str) -> str:
    """The fingerprint of hr when its migrations have run, as in the database they have."""
    text = fingerprint(connections["default"], "hr")
    execute(DECOY)
    return text


@pytest.fixture
def without_hr(replayed: str) -> str:
    """Everything is migrated but hr, which has not even a schema; the database's name."""
    execute("DROP SCHEMA IF EXISTS hr CASCADE")
    execute("DELETE FROM public.auth_permission WHERE codename LIKE '%employee'")
    name: str = connections["default"].settings_dict["NAME"]
    return name


def catalog() -> str:
    return fingerprint(connections["default"], "hr")


def statuses() -> list[tuple[Any, ...]]:
    """Which migrations ended how."""
    rows = query(JOURNAL)
    return [(name, status) for name, status, *_ in rows if name and status != "running"]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Put another snapshot in the place of hr's: `use(text)`, or `use(field=value)`."""

    def put(text: str | None = None, **values: Any) -> Path:
        path = tmp_path / "snapshot.sql"
        if "statements" in values:
            values["body"] = join_statements(values.pop("statements"))
        path.write_text(replace(committed(), **values).render() if text is None else text)
        monkeypatch.setattr(restoring, "snapshot_file", lambda domain: path)
        return path

    return put


def committed() -> Snapshot:
    path = snapshot_file(get_domain("hr"))
    assert path is not None
    return read_snapshot(path)


def test_an_empty_schema_is_restored_and_recorded(
    without_hr: str, replayed: str, call: Call
) -> None:
    others = {schema: text for schema, text in snapshot().items() if schema != "hr"}

    result = call("migrate_domain", "hr", format="json")

    domain = json.loads(result.stdout)["domains"][0]
    assert (result.exit_status, result.stderr, domain["status"]) == (0, "", "migrated")
    assert [ran["name"] for ran in domain["applied"]] == NAMES
    assert compare(replayed, catalog()) == []
    assert [name for _, name in histories()["hr"]] == NAMES
    rows = query(JOURNAL)
    assert rows[0][1:3] == ("running", "run")
    assert rows[1:-1] == [
        (name, "done", "forwards", 1, "snapshot.sql", True, True) for name in NAMES
    ]
    assert rows[-1][1:3] == ("done", "run")
    assert query(WRITTEN_BY) == [(1,)]
    checksums = [committed().migrations[MigrationKey("hr", name)] for name in NAMES]
    assert query(CHECKSUMS) == [(checksum,) for checksum in checksums]
    assert Permission.objects.filter(codename="add_employee").exists()
    assert {schema: text for schema, text in snapshot().items() if schema != "hr"} == others
    assert call("migrate_domain", "hr").stdout.endswith("hr: nothing to do\n")
    found = call("verify_domain", "hr")
    assert found.stdout == "Nothing found.\n"


def test_a_restored_domain_is_reverted_by_its_migrations(without_hr: str, call: Call) -> None:
    first = call("migrate_domain", "hr")
    assert first.stdout == (
        "Domain hr (schema hr):\n"
        f"  Applying snapshot.sql ({len(NAMES)} migrations to hr.{NAMES[-1]})... OK\n"
        f"{first.stdout.splitlines()[-1]}\n"
    )
    restored = catalog()
    reverted = call("migrate_domain", "hr", "--rollback", format="json")
    assert [ran["name"] for ran in json.loads(reverted.stdout)["domains"][0]["reverted"]] == (
        NAMES[::-1]
    )
    assert tables("hr") == {"django_migrations_hr", "django_migrations_hr_journal"}
    again = call("migrate_domain", "hr")
    assert "Applying snapshot.sql" in again.stdout
    assert compare(restored, catalog()) == []
    assert call("migrate_domain", "hr", "zero").exit_status == 0
    assert histories()["hr"] == []


def test_migrations_missing_from_the_snapshot_run_after_it(
    without_hr: str, replayed: str, call: Call, use: Callable[..., Path], settings: Any
) -> None:
    later = [MigrationKey("hr", name) for name in NAMES[-2:]]
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "SNAPSHOTS": False}
    call("migrate_domain", "hr", NAMES[-3])
    digest = restoring.schema_digest(
        restoring.schema_objects(connections["default"], get_domain("hr"))
    )
    execute("DROP SCHEMA hr CASCADE")
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "SNAPSHOTS": True}
    kept = {key: value for key, value in committed().migrations.items() if key not in later}
    column = "    location_id"
    statements = tuple(
        "".join(line for line in text.splitlines(True) if not line.startswith(column)).replace(
            ",\n)", "\n)"
        )
        for text in committed().statements
        if "location_id" not in text or text.startswith("CREATE TABLE")
    )
    use(migrations=kept, fingerprint=digest, statements=statements)

    result = call("migrate_domain", "hr")

    assert (result.exit_status, result.stderr) == (0, "")
    assert all(f"  Applying {key}... OK\n" in result.stdout for key in later)
    assert compare(replayed, catalog()) == []
    assert [row[4] for row in query(JOURNAL) if row[0]] == (
        ["snapshot.sql"] * (len(NAMES) - 2) + [None, None]
    )


def without(name: str) -> dict[MigrationKey, str]:
    return {key: value for key, value in committed().migrations.items() if key.name != name}


def stale_ones() -> dict[str, tuple[dict[str, Any], str]]:
    """Name → what of the snapshot is different, and the reason that is given."""
    migrations = dict(committed().migrations)
    return {
        "edited": (
            {"migrations": {**migrations, MigrationKey("hr", NAMES[3]): "1:0"}},
            f"hr.{NAMES[3]} was edited",
        ),
        "removed": (
            {"migrations": {**migrations, MigrationKey("hr", "0003_gone"): "1:0"}},
            "hr.0003_gone was removed",
        ),
        "inserted": ({"migrations": without(NAMES[3])}, f"hr.{NAMES[3]} was inserted"),
        "another version": (
            {"migrations": {**migrations, MigrationKey("hr", NAMES[3]): "0:0"}},
            f"the checksum of hr.{NAMES[3]} was taken by another version of the engine",
        ),
        "another fingerprint": (
            {"fingerprint": "0:0"},
            "it was written by another version of the engine",
        ),
        "another domain": ({"domain": "finance"}, 'it is of the domain "finance"'),
        "core": (
            {"core": {"public.users.id": "bigint", "public.gone.id": "bigint"}},
            "public.gone.id is gone; public.users.id is uuid now, and was bigint",
        ),
    }


def test_a_stale_snapshot_is_refused_where_warnings_are(
    without_hr: str, call: Call, use: Callable[..., Path]
) -> None:
    for values, reason in stale_ones().values():
        path = use(**values)
        refused = call("migrate_domain", "hr", "--strict", format="json")
        assert json.loads(refused.stdout)["domains"][0]["error"] == {
            "code": "snapshot_stale",
            "message": SAID.format(reason=reason, path=path),
            "hint": RERUN,
            "sqlstate": None,
        }
        assert (refused.exit_status, "hr" in schemas()) == (1, False)


def test_a_stale_snapshot_is_reported_and_not_used(
    without_hr: str, call: Call, use: Callable[..., Path]
) -> None:
    values, reason = stale_ones()["edited"]
    said = SAID.format(reason=reason, path=use(**values))
    result = call("migrate_domain", "hr")
    assert result.exit_status == 0
    assert result.stderr == (
        f"Warning: {said} It is not used; the migrations are replayed. {RERUN}\n"
    )
    assert f"  Applying hr.{NAMES[0]}... OK\n" in result.stdout
    assert statuses() == [(name, "done") for name in NAMES]


def test_a_snapshot_of_an_older_server_lacks_names_that_migrations_may_have_chosen(
    without_hr: str, call: Call, use: Callable[..., Path]
) -> None:
    path = use(has_not_null_names=False)
    result = call("migrate_domain", "hr", "--strict")
    reason = (
        "it lacks the names of NOT NULL constraints, which PostgreSQL 18 has and its migrations may"
        " have chosen"
    )
    is_named = restoring.has_not_null_names(connections["default"])
    assert (SAID.format(reason=reason, path=path) in result.stderr) is is_named
    assert ("hr" in schemas()) is not is_named


def test_an_edited_snapshot_is_reported(
    without_hr: str, call: Call, use: Callable[..., Path]
) -> None:
    use(committed().render().replace("CREATE TABLE", "CREATE  TABLE", 1))
    result = call("migrate_domain", "hr", "--strict")
    assert "does not match its migrations: its statements were edited (" in result.stderr
    assert "hr" not in schemas()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE TABLE hr.more ();", "the restored schema does not match the fingerprint"),
        (
            "SELECT hr.unknown();",
            "operation 1 of 1 (Restore snapshot.sql): function hr.unknown() does not exist",
        ),
    ],
)
def test_a_wrong_restore_is_rolled_back_and_replayed(
    without_hr: str,
    replayed: str,
    call: Call,
    use: Callable[..., Path],
    statement: str,
    reason: str,
) -> None:
    use(statements=(*committed().statements, statement))
    result = call("migrate_domain", "hr")
    assert result.exit_status == 0
    assert reason in result.stderr
    assert compare(replayed, catalog()) == []
    assert statuses() == [("snapshot.sql", "failed"), *((name, "done") for name in NAMES)]
    assert call("verify_domain", "hr").stdout == "Nothing found.\n"
    execute("DROP SCHEMA hr CASCADE")
    strict = call("migrate_domain", "hr", "--strict", format="json")
    assert json.loads(strict.stdout)["domains"][0]["error"]["code"] == "snapshot_stale"
    assert (strict.exit_status, histories()["hr"]) == (1, [])


def test_an_error_that_a_replay_would_not_help_against(
    without_hr: str, replayed: str, call: Call, use: Callable[..., Path]
) -> None:
    use(statements=(*committed().statements, "SELECT 1 / 0;"))
    result = call("migrate_domain", "hr", format="json")
    (domain,) = json.loads(result.stdout)["domains"]
    assert (result.exit_status, domain["status"], domain["applied"]) == (1, "failed", [])
    assert (domain["error"]["code"], domain["error"]["sqlstate"]) == ("migration_failed", "22012")
    assert tables("hr") == {"django_migrations_hr", "django_migrations_hr_journal"}
    assert histories()["hr"] == []
    use()
    assert call("migrate_domain", "hr").exit_status == 0
    assert compare(replayed, catalog()) == []


def test_the_guard_checks_a_snapshot_too(
    without_hr: str, call: Call, use: Callable[..., Path]
) -> None:
    use(statements=(*committed().statements, "UPDATE finance.accounts SET id = id;"))
    result = call("migrate_domain", "hr", format="json")
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert error["code"] == "boundary"
    assert error["message"].startswith(
        "Migration snapshot.sql (13 migrations to hr.0013_alter_verbose_names) is refused: its"
        " operation 1, RestoreSnapshot, "
    )
    assert tables("hr") == {"django_migrations_hr", "django_migrations_hr_journal"}


def test_a_snapshot_is_not_used(without_hr: str, call: Call, settings: Any) -> None:
    """A target before its end, --fake, a schema with something in it, and the setting."""
    half = call("migrate_domain", "hr", NAMES[4])
    assert (half.stderr, "snapshot" in half.stdout) == ("", False)
    assert [name for _, name in histories()["hr"]] == NAMES[:5]
    rest = call("migrate_domain", "hr")
    assert (rest.stderr, "snapshot" in rest.stdout) == ("", False)

    call("migrate_domain", "hr", "zero", "--fake", interactive=False)
    execute("TRUNCATE hr.django_migrations_hr_journal")
    call("migrate_domain", "hr", "--fake")
    assert statuses() == [(name, "faked") for name in NAMES]

    execute("DROP SCHEMA hr CASCADE; CREATE SCHEMA hr; CREATE TABLE hr.by_hand ()")
    replayed = call("migrate_domain", "hr", NAMES[-1])
    assert (replayed.stderr, "snapshot" in replayed.stdout) == ("", False)

    execute("DROP SCHEMA hr CASCADE")
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "SNAPSHOTS": False}
    off = call("migrate_domain", "hr", "--strict")
    assert (off.stderr, "snapshot" in off.stdout) == ("", False)


def test_a_plan_and_a_check_show_the_migrations(without_hr: str, call: Call) -> None:
    plan = call("migrate_domain", "hr", "--plan", format="json")
    steps = json.loads(plan.stdout)["domains"][0]["steps"]
    assert [step["name"] for step in steps] == NAMES
    assert call("migrate_domain", "hr", "--check").exit_status == 1
    assert "hr" not in schemas()


def test_core_comes_first(scratch_database: str, call: Call) -> None:
    result = call("migrate_domain", "hr", format="json")
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert (error["code"], "hr" in schemas()) == ("dependency_not_applied", False)


def test_a_domain_with_a_role_is_restored_as_that_role(without_hr: str, call: Call) -> None:
    execute("CREATE SCHEMA hr")
    assert call("grant_domain", "hr", "--apply").exit_status == 0
    result = call("migrate_domain", "hr")
    assert "Applying snapshot.sql" in result.stdout, result.stdout + result.stderr
    ((role, user),) = query(
        "SELECT pg_get_userbyid(relowner), current_user FROM pg_class"
        " WHERE oid = 'hr.employees'::regclass"
    )
    assert role != user
    call("grant_domain", "hr", "--remove")


def test_kill_in_the_middle(
    without_hr: str, replayed: str, postgres_server: TestServer, call: Call
) -> None:
    """It waits for a lock on a table of core when it is killed: most of it has run by then."""
    busy = "LOCK TABLE public.users IN ROW EXCLUSIVE MODE"
    with other_session(postgres_server, without_hr, busy):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "migrate_domain", "hr", "--lock-timeout", "60"],
            cwd=ROOT,
            env=process_environment(postgres_server.environment(without_hr)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: query(WAITING))
        finally:
            process.kill()
            process.wait()
    until(lambda: advisory_locks() == 0)
    assert tables("hr") == {"django_migrations_hr", "django_migrations_hr_journal"}
    assert histories()["hr"] == []
    result = call("migrate_domain", "hr")
    assert (result.exit_status, result.stderr) == (0, "")
    assert compare(replayed, catalog()) == []
    assert statuses() == [(name, "done") for name in NAMES]


OURS = {"django_migrations_hr", "django_migrations_hr_journal"}
DIE = "SELECT pg_terminate_backend(pg_backend_pid());"
PARTS = ("CREATE TABLE hr.", 'INSERT INTO "hr"."django_migrations_hr"', '"snapshot": ')
"""Of the statements that a restore sends: its own, the history's rows and the journal's."""


def assert_next_run_restores(replayed: str, call: Call) -> None:
    """Look at what a failed one has left, and run again."""
    assert tables("hr") <= OURS
    assert histories()["hr"] == []
    assert query("SELECT count(*) FROM public.decoy") == [(0,)]
    result = call("migrate_domain", "hr")
    assert (result.exit_status, result.stderr) == (0, "")
    assert "Applying snapshot.sql" in result.stdout
    assert compare(replayed, catalog()) == []
    assert [name for _, name in histories()["hr"]] == NAMES
    assert [step for step in statuses() if step[1] == "done"] == [(name, "done") for name in NAMES]


@pytest.mark.parametrize("part", PARTS)
def test_an_error_anywhere_in_a_restore_leaves_nothing_of_it(
    without_hr: str, replayed: str, call: Call, part: str
) -> None:
    with failing_at(0) as seen:
        call("migrate_domain", "hr")
    (number,) = [
        number
        for number, text in enumerate(seen, start=1)
        if part in text and "CREATE TABLE hr.django" not in text
    ]
    execute("DROP SCHEMA hr CASCADE")
    with failing_at(number):
        result = call("migrate_domain", "hr")
    assert (result.exit_status, MESSAGE in result.stderr) == (1, True), result.stderr
    assert_next_run_restores(replayed, call)


def test_a_connection_that_dies_in_the_middle_leaves_nothing_of_it(
    without_hr: str, replayed: str, call: Call, use: Callable[..., Path]
) -> None:
    statements = committed().statements
    middle = len(statements) // 2
    use(statements=(*statements[:middle], DIE, *statements[middle:]))
    result = call("migrate_domain", "hr", format="json")
    error = json.loads(result.stdout)["domains"][0]["error"]
    assert (result.exit_status, error["code"]) == (75, "connection")
    connections["default"].close()
    assert advisory_locks() == 0
    use()
    assert_next_run_restores(replayed, call)


def test_a_snapshot_that_is_stale_is_not_proven(
    scratch_database: str, call: Call, use: Callable[..., Path]
) -> None:
    path = use(migrations={**committed().migrations, MigrationKey("hr", NAMES[2]): "1:0"})
    result = call("prove_domain", "hr")
    said = SAID.format(reason=f"hr.{NAMES[2]} was edited", path=path)
    assert result.stdout == f"hr: its snapshot cannot be used: {said} {RERUN}\n"
    assert (result.exit_status, schemas()) == (1, ["public"])
