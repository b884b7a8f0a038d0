"""The pause: bounded, and taken back when it is too short."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.support.moving_domain import Moving, moving_project
from tests.support.servers import TestServer

INSERT = "INSERT INTO depot.tags (name) VALUES ('{}')"


def assert_source_is_open(moving: Moving) -> None:
    moving.on_source(INSERT.format("still open") + " ON CONFLICT DO NOTHING")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="still being copied"):
        moving.on_target(INSERT.format("too early"))
    report = moving.done("status")
    assert report.startswith("depot: default to lab, copying")


def test_a_pause_that_is_too_short_puts_everything_back(moving_18: Moving) -> None:
    moving_18.copied()
    result = moving_18.extract("cut-over", "--max-pause", "0.001")
    assert result.returncode == 1
    assert "--max-pause" in result.stderr
    assert_source_is_open(moving_18)
    moving_18.done("cut-over")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as refused:
        moving_18.on_source(INSERT.format("too late"))
    assert str(refused.value).startswith(
        'The domain "depot" has moved to the database "lab": write there.'
    )
    moving_18.on_target(INSERT.format("new side"))


def test_a_long_transaction_is_not_waited_for_with_all_writers_held(moving_18: Moving) -> None:
    moving_18.copied()
    with moving_18.source.connect(moving_18.source_name, autocommit=False) as session:
        session.execute(INSERT.format("long"))
        result = moving_18.extract("cut-over", "--patience", "2")
        session.rollback()
        assert result.returncode == 1
        assert "Transactions are open for longer than 2 s" in result.stderr
        assert_source_is_open(moving_18)
        # One that has not written yet keeps only the lock from being taken.
        session.execute("LOCK TABLE depot.tags IN ROW EXCLUSIVE MODE")
        result = moving_18.extract("cut-over", "--patience", "2")
        session.rollback()
    assert result.returncode == 1
    assert "Transactions kept the tables locked for 2 s; the source is open." in result.stderr
    assert_source_is_open(moving_18)


@pytest.mark.slow_stress
def test_what_is_made_by_hand_while_rows_are_compared_is_not_left_behind(
    moving_18: Moving,
) -> None:
    moving_18.copied()
    with (
        ThreadPoolExecutor(1) as pool,
        moving_18.source.connect(moving_18.source_name, autocommit=False) as session,
    ):
        session.execute("LOCK TABLE depot.tags IN ROW EXCLUSIVE MODE")
        cutting = pool.submit(moving_18.extract, "cut-over")
        while not moving_18.on_source("SELECT pid FROM pg_locks WHERE NOT granted"):
            assert not cutting.done(), cutting.result()
        moving_18.on_source("CREATE TABLE depot.late (id int PRIMARY KEY)")
        session.rollback()
        result = cutting.result()
    assert result.returncode == 1
    assert 'The schema "depot" was changed in "default" while rows were compared.' in result.stderr
    assert_source_is_open(moving_18)
    moving_18.on_source("INSERT INTO depot.late VALUES (1); DROP TABLE depot.late")
    with (
        ThreadPoolExecutor(1) as pool,
        moving_18.target.connect(moving_18.target_name, autocommit=False) as session,
    ):
        # A writer that tries there too early, with its tables in another order.
        session.execute("LOCK TABLE depot.tags IN ROW EXCLUSIVE MODE")
        cutting = pool.submit(moving_18.extract, "cut-over")
        while not moving_18.on_target("SELECT pid FROM pg_locks WHERE NOT granted"):
            assert not cutting.done(), cutting.result()
        session.execute("LOCK TABLE depot.boxes IN ROW EXCLUSIVE MODE")
        session.rollback()
        result = cutting.result()
    assert result.returncode == 0, result.stderr
    moving_18.on_target("CREATE TABLE depot.late AS SELECT 1 AS id")
    refused = moving_18.extract("abort", "--noinput")
    assert refused.returncode == 1
    assert '"lab" has what "default" has no place for: depot.late.id.' in refused.stderr
    moving_18.on_target(INSERT.format("still open there"))
    moving_18.on_target("DROP TABLE depot.late")
    moving_18.done("abort", "--noinput")
    assert moving_18.leftovers() == []


@pytest.mark.slow_stress
def test_a_server_that_hangs_does_not_hold_the_writers(moving_18: Moving) -> None:
    moving_18.copied()
    ((backend,),) = moving_18.on_target(
        "SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'logical replication %apply%'"
        " OR backend_type = 'logical replication worker'"
    )
    os.kill(backend, signal.SIGSTOP)
    try:
        began = time.monotonic()
        result = moving_18.extract("cut-over", "--max-pause", "1", "--patience", "30")
        assert time.monotonic() - began < 60
        moving_18.on_source(INSERT.format("while it hangs"))
    finally:
        os.kill(backend, signal.SIGCONT)
    assert result.returncode == 1
    assert "waiting for the last changes" in result.stderr
    assert_source_is_open(moving_18)
    moving_18.done("cut-over")


def test_rows_that_differ_are_found_and_named(moving_18: Moving) -> None:
    moving_18.copied()
    with moving_18.target.connect(moving_18.target_name) as session:
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE depot.parts SET note = 'changed' WHERE id = 7")
        session.execute("DELETE FROM depot.boxes WHERE width = 3")
    result = moving_18.extract("cut-over")
    assert result.returncode == 1
    assert (
        "The rows of 2 tables differ: depot.boxes (missing rows), depot.parts (other rows)."
        in result.stderr
    )
    assert_source_is_open(moving_18)


def test_the_schema_does_not_change_during_a_move(moving_18: Moving) -> None:
    moving_18.project.write(
        "depot/migrations/0003_more.py",
        "from django.db import migrations\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('depot', '0002_sql')]\n"
        "    operations = [migrations.RunSQL('ALTER TABLE depot.boxes ADD more int')]\n",
    )
    blocked = moving_18.extract("start")
    assert blocked.returncode == 1
    assert "Migrations are pending: depot.0003_more." in blocked.stderr
    migration = moving_18.project.path / "depot/migrations/0003_more.py"
    source = migration.read_text()
    migration.unlink()
    moving_18.copied()
    migration.write_text(source)
    for database in ("default", "lab"):
        result = moving_18.project.manage("migrate_domain", "depot", "--database", database)
        assert result.returncode == 1
        assert result.stderr == (
            'CommandError: The schema of the domain "depot" cannot change while the domain moves'
            ' from "default" to "lab" (now copying). End the move first: manage.py extract_domain'
            " depot status --to lab says how; or give it up: manage.py extract_domain depot abort"
            " --to lab\n"
        )
    assert "more" not in {
        name
        for (name,) in moving_18.on_source(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'depot.boxes'::regclass"
        )
    }
    moving_18.done("abort", "--noinput")
    assert moving_18.project.manage("migrate_domain", "depot").returncode == 0


KINDS_OF_KEYS = """
CREATE TABLE depot.keyless (name text);
ALTER TABLE depot.keyless REPLICA IDENTITY FULL;
CREATE TABLE depot.pairs (a int, b text, n int, PRIMARY KEY (a, b));
CREATE TABLE depot.reversed (a int, b text, n int, PRIMARY KEY (b, a) INCLUDE (n));
CREATE TABLE depot.emptied (id int PRIMARY KEY);
"""
WRITES = """
INSERT INTO depot.keyless VALUES ('{n}');
UPDATE depot.keyless SET name = name || '!' WHERE name = '{n}';
DELETE FROM depot.keyless WHERE name LIKE '%7!';
INSERT INTO depot.pairs VALUES ({n} % 5, 'it''s "{n}', 1) ON CONFLICT DO NOTHING;
UPDATE depot.pairs SET n = n + 1, b = b || 'x' WHERE a = {n} % 5 AND length(b) < 20;
INSERT INTO depot.reversed VALUES ({n}, 'b', 1);
UPDATE depot.reversed SET n = n + 1 WHERE a > {n} - 5;
TRUNCATE depot.emptied;
INSERT INTO depot.emptied VALUES ({n});
"""


def write_until_refused(moving: Moving) -> int:
    """Write to the source until it is closed; how often that worked."""
    with moving.source.connect(moving.source_name) as session:
        for number in range(100_000):
            try:
                session.execute(WRITES.format(n=number))
            except psycopg.errors.ReadOnlySqlTransaction:
                return number
    raise AssertionError("The source was never closed.")


def test_rows_are_compared_by_keys_of_every_kind(
    source_18: TestServer, target_18: TestServer, tmp_path: Path
) -> None:
    with moving_project(
        tmp_path / "project", source_18, target_18, more_sql=KINDS_OF_KEYS
    ) as moving:
        moving.copied()
        with ThreadPoolExecutor(1) as pool:
            writes = pool.submit(write_until_refused, moving)
            output = moving.done("cut-over")
            assert writes.result() > 10
        assert "Nobody could write for" in output
        assert moving.differing_tables() == []
        moving.done("finish", "--noinput")
