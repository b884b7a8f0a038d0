"""Settings of the session that migrations change, and those of the database."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.db import connections

from tests.support.catalog import execute, query
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

SLOW = pytest.mark.slow_stress
CHANGES = """
class Migration(migrations.Migration):
    atomic = {atomic}
    operations = [migrations.RunSQL({sql!r}, migrations.RunSQL.noop)]
"""
KEEPS = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_changes")]
    operations = [migrations.RunSQL('''
        CREATE TABLE hr.seen AS SELECT name, setting FROM pg_settings UNION ALL
        SELECT n, current_setting(n) FROM unnest(ARRAY['role', 'session_authorization']) n
    ''', "DROP TABLE hr.seen")]
"""


def release(sql: str, *, atomic: bool = True) -> dict[str, str]:
    return {"0001_changes": CHANGES.format(sql=sql, atomic=atomic), "0002_keeps": KEEPS}


@pytest.mark.parametrize(
    ("name", "value", "atomic"),
    [
        ("session_replication_role", "replica", True),
        pytest.param("session_replication_role", "replica", False, marks=SLOW),
        ("search_path", "finance", True),
        ("search_path", '""', False),
        ("default_transaction_read_only", "on", True),
        pytest.param("default_transaction_read_only", "on", False, marks=SLOW),
        ("default_transaction_isolation", "serializable", True),
        ("datestyle", "German", True),
        pytest.param("timezone", "Asia/Tokyo", True, marks=SLOW),
        pytest.param("client_encoding", "LATIN1", True, marks=SLOW),
        pytest.param("client_encoding", "SQL_ASCII", True, marks=SLOW),
        ("client_encoding", "SQL_ASCII", False),
        ("statement_timeout", "7777", True),
        ("role", "pg_monitor", True),
        pytest.param("session_authorization", "pg_monitor", True, marks=SLOW),
    ],
)
def test_a_migration_begins_with_the_settings_of_the_run(
    hr_migrations: TemporaryMigrations, call: Call, name: str, value: str, atomic: bool
) -> None:
    before = dict(query("SELECT name, setting FROM pg_settings"))
    text = f"SET {name} = '{value}'" if value != '""' else f"SET {name} = ''"
    if name in ("role", "session_authorization"):
        text = (
            f"GRANT ALL ON SCHEMA hr TO {value}; GRANT ALL ON ALL TABLES IN SCHEMA hr TO {value};"
        )
        text += f" SET {name.replace('_', ' ')} {value}"
    with hr_migrations.release(release(text, atomic=atomic)):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr
    seen = dict(query("SELECT name, setting FROM hr.seen"))
    assert "Migration hr.0001_changes has changed settings of the session" in result.stderr
    assert name in result.stderr.lower()
    assert seen["role"] == "none"
    if name in ("datestyle", "timezone", "client_encoding"):
        assert seen[{"datestyle": "DateStyle", "timezone": "TimeZone"}.get(name, name)] != value
    elif name == "search_path":
        assert seen[name].startswith("public")
    elif name in before and name != "statement_timeout":
        assert seen[name] == before[name]
    else:
        assert seen.get(name) != value
    after = dict(query("SELECT name, setting FROM pg_settings"))
    assert after == before


@pytest.mark.parametrize(
    "text",
    [
        "SET ROLE pg_monitor",
        "SET LOCAL ROLE pg_monitor",
        pytest.param("SET SESSION AUTHORIZATION pg_monitor", marks=SLOW),
    ],
)
def test_the_history_is_written_by_the_role_of_the_run(
    hr_migrations: TemporaryMigrations, call: Call, text: str
) -> None:
    with hr_migrations.release(release(text)):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr
    assert ("pg_monitor" in result.stderr) == ("LOCAL" not in text)


@pytest.mark.parametrize("atomic", [pytest.param(True, marks=SLOW), False])
@pytest.mark.parametrize("text", ["DEALLOCATE ALL", "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"])
def test_prepared_statements_may_be_discarded(
    hr_migrations: TemporaryMigrations, call: Call, text: str, atomic: bool
) -> None:
    with hr_migrations.release(release(text, atomic=atomic)):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr


def test_a_local_setting_is_not_reported(hr_migrations: TemporaryMigrations, call: Call) -> None:
    with hr_migrations.release(release("SET LOCAL work_mem = '7MB'")):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr
    assert "has changed settings" not in result.stderr


def test_a_dry_run_begins_each_migration_with_the_same_settings(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    check = "DO $$ BEGIN ASSERT current_setting('session_replication_role') = 'origin'; END $$"
    steps = release("SET session_replication_role = replica")
    steps["0003_checks"] = CHANGES.format(sql=check, atomic=True).replace(
        "atomic = True", 'dependencies = [("hr", "0002_keeps")]'
    )
    with hr_migrations.release(steps):
        result = call("migrate_domain", "hr", "--dry-run")
    assert result.exit_status == 0, result.stderr


def test_a_failed_migration_is_recorded_whatever_it_has_set(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    failing = CHANGES.replace("]", ", migrations.RunSQL('SELECT 1/0')]")
    text = "SET default_transaction_read_only = on"
    with hr_migrations.release({"0001_changes": failing.format(sql=text, atomic=False)}):
        result = call("migrate_domain", "hr")
    assert result.exit_status == 1
    rows = query("SELECT status FROM hr.django_migrations_hr_journal ORDER BY id DESC LIMIT 2")
    assert rows == [("failed",), ("failed",)]


SETTINGS = {
    "DateStyle": "'German, DMY'",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-10",
    "quote_all_identifiers": "on",
    "timezone": "'Asia/Kolkata'",
}


@pytest.mark.parametrize(
    "style",
    [
        "'German, DMY'",
        *(pytest.param(style, marks=SLOW) for style in ("'SQL, MDY'", "'Postgres, DMY'")),
    ],
)
def test_settings_of_the_database_do_not_matter(
    migrated_database: str, call: Call, style: str
) -> None:
    for name, value in {**SETTINGS, "DateStyle": style}.items():
        execute(f"ALTER DATABASE {migrated_database} SET {name} = {value}")
    connections["default"].close()
    for arguments in (
        ["migrate_domain", "hr", "zero", "--noinput"],
        ["migrate_domain", "hr"],
        ["migrate_domain", "hr", "--rollback", "--noinput"],
        ["migrate"],
        ["show_domains"],
        ["show_domains", "hr", "--format", "json"],
        ["showmigrations", "hr"],
        ["verify_domain"],
        ["seed_domain", "hr"],
    ):
        result = call(*arguments)
        assert result.exit_status == 0, (arguments, result.stderr)
    shown = json.loads(call("show_domains", "hr", "--format", "json").stdout)
    assert shown["domains"][0]["last_change"].endswith("Z")
