"""Giving a move up: from every phase, with nothing left on either side."""

from __future__ import annotations

import time

import pytest

from tests.support.moving_domain import Moving

DECOY = "CREATE TABLE public.parts (id int); CREATE TABLE public.moves (id int)"
TARGET_SCHEMA = "SELECT count(*) FROM pg_namespace WHERE nspname = 'depot'"
TRIGGERS = """
SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
AND tgrelid::regclass::text LIKE 'depot.%' ORDER BY 1
"""
WITH_GRANT = """
SELECT nspacl::text LIKE '%,=U/%',
    (SELECT string_agg(pg_describe_object(classid, objid, 0), ', ') FROM pg_depend
     WHERE refclassid = 'pg_namespace'::regclass AND refobjid = n.oid)
FROM pg_namespace n WHERE nspname = 'depot'
"""
OWN = [("count_move", "O"), ("enter_tag", "A")]


def assert_aborted(moving: Moving) -> None:
    """The source is as before, and nothing of the move is left."""
    assert moving.leftovers() == []
    assert moving.on_source(TRIGGERS) == OWN
    assert moving.on_target(TARGET_SCHEMA) == [(0,)]
    moving.on_source("INSERT INTO depot.tags (name) VALUES ('after the move')")
    for server in (moving.on_source, moving.on_target):
        assert server("SELECT to_regclass('public.parts') IS NOT NULL") == [(True,)]


def test_abort_while_rows_are_copied_and_start_again(moving_18: Moving) -> None:
    moving_18.on_source(DECOY)
    moving_18.on_target(DECOY)
    moving_18.done("start")
    assert moving_18.leftovers() != []
    output = moving_18.done("abort", "--noinput")
    assert output.startswith("depot: default to lab, aborted")
    assert_aborted(moving_18)
    moving_18.on_target("CREATE SCHEMA depot; CREATE TABLE depot.later AS SELECT 1 AS id")
    again = moving_18.extract("abort", "--noinput")
    assert again.returncode == 0
    assert moving_18.on_target("SELECT id FROM depot.later") == [(1,)]
    moving_18.on_target("DROP SCHEMA depot CASCADE")
    moving_18.on_target("CREATE SCHEMA depot; GRANT USAGE ON SCHEMA depot TO PUBLIC")
    moving_18.copied()
    assert moving_18.differing_tables() == []
    moving_18.done("abort", "--noinput")
    assert moving_18.on_target(WITH_GRANT) == [(True, None)]
    assert moving_18.leftovers() == []
    assert moving_18.on_target("SELECT to_regclass('public.parts') IS NOT NULL") == [(True,)]


def test_abort_after_the_cut_over_brings_back_what_was_written_meanwhile(moving: Moving) -> None:
    moving.on_source(DECOY)
    moving.on_target(DECOY)
    moving.copied()
    moving.done("cut-over")
    (key,) = moving.on_target(
        "INSERT INTO depot.parts (name, size, price, data, note)"
        " VALUES ('there', 1, 1, '{}', '') RETURNING id"
    )
    moving.on_target("DELETE FROM depot.places WHERE id = 1")
    moving.done("abort", "--noinput")
    assert moving.on_source("SELECT id FROM depot.parts WHERE name = 'there'") == [key]
    assert moving.on_source("SELECT count(*) FROM depot.places") == [(99,)]
    ((following,),) = moving.on_source("SELECT nextval('depot.parts_id_seq')")
    assert following > key[0]
    assert_aborted(moving)
    migrated = moving.project.manage("migrate_domain", "depot", "--check")
    assert migrated.returncode == 0


@pytest.mark.slow_stress
def test_writers_come_back_with_an_abort(moving_18: Moving) -> None:
    moving_18.copied()
    with moving_18.writers(3) as report:
        time.sleep(0.5)
        moving_18.done("cut-over")
        time.sleep(0.5)
        moving_18.done("abort", "--noinput")
        time.sleep(0.5)
    assert report["problems"] == []
    assert report["aliases"] == ["default"]


def test_a_schema_that_was_there_before_stays(moving_18: Moving) -> None:
    made = moving_18.project.manage(
        "migrate_domain", "depot", "--database", "lab", "--with-dependencies"
    )
    assert made.returncode == 0, made.stderr
    moving_18.copied()
    moving_18.done("abort", "--noinput")
    assert moving_18.leftovers() == []
    assert moving_18.on_target(TRIGGERS) == OWN
    assert moving_18.on_target("SELECT count(*) FROM depot.parts") == [(2000,)]
    moving_18.on_target("INSERT INTO depot.tags (name) VALUES ('open')")
    refused = moving_18.extract("start")
    assert refused.returncode == 1
    assert "The target already has rows in depot." in refused.stderr
    unchanged = moving_18.project.manage("migrate_domain", "depot", "--database", "lab")
    assert unchanged.returncode == 0
    assert moving_18.project.manage("verify_domain", "depot", "--database", "lab").returncode == 0


@pytest.mark.slow_stress
def test_a_lost_target_is_left_out(moving_18: Moving) -> None:
    from tests.support.moving_domain import kill_server

    moving_18.copied()
    kill_server(moving_18.target)
    try:
        refused = moving_18.extract("abort", "--noinput")
        assert refused.returncode == 75
        assert 'database "lab"' in refused.stderr
        moving_18.done("abort", "--without-target", "--noinput")
        slots = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
        assert moving_18.on_source(slots) == []
        assert moving_18.on_source("SELECT pubname FROM pg_publication") == []
    finally:
        moving_18.target.start()
    moving_18.done("abort", "--noinput")
    assert moving_18.leftovers() == []
    assert moving_18.on_target(TARGET_SCHEMA) == [(0,)]


def test_a_step_without_a_move_says_how_to_begin(moving_18: Moving) -> None:
    for step in ("finish", "abort", "status", "cut-over"):
        result = moving_18.extract(step, "--noinput")
        assert result.returncode == 1
        assert result.stderr == (
            'CommandError: The domain "depot" does not move to "lab". Begin with: manage.py'
            " extract_domain depot plan --to lab\n"
        )
