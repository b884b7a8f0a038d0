"""The sample project with its demonstration data, distributed; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.support import distribution
from tests.support.cluster import CitusServers, pointed_at
from tests.support.commands import Result
from tests.support.terminals import run_on_terminal

pytestmark = pytest.mark.citus

DOMAINS = ["finance", "hr", "inventory"]
JOURNAL = """
SELECT direction, status, name, details FROM {}
WHERE direction = 'cluster' ORDER BY id
"""


@pytest.fixture
def session(
    migrated_citus_database: str, citus_cluster: CitusServers
) -> Iterator[psycopg.Connection]:
    with citus_cluster.coordinator.connect(migrated_citus_database) as opened:
        yield opened


def journal(session: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return session.execute(JOURNAL.format(table)).fetchall()


def test_nothing_is_lost(
    session: psycopg.Connection,
    migrated_citus_database: str,
    citus_cluster: CitusServers,
    call: Callable[..., Result],
) -> None:
    rows, sequences = distribution.rows(session), distribution.sequences(session)
    triggers = distribution.triggers(session)

    result = call("distribute_domain", "--all", "--noinput", "--format", "json")

    assert result.exit_status == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["status"] == "distributed"
    assert [(each["domain"], each["status"]) for each in printed["domains"]] == [
        ("inventory", "distributed"),
        ("hr", "distributed"),
        ("finance", "distributed"),
    ]
    assert distribution.distributed_schemas(session) == DOMAINS
    assert distribution.rows(session) == rows
    assert distribution.sequences(session) == sequences
    assert distribution.triggers(session) == triggers
    node = printed["domains"][0]["node"]
    assert distribution.local_rows(session) == []

    ((*row, details), (*removal, _)) = journal(
        session, "inventory.django_migrations_inventory_journal"
    )
    assert row == ["cluster", "done", "distribute"]
    assert details["node"] == node
    assert details["tables"] == printed["domains"][0]["tables"]
    assert removal == ["cluster", "done", "remove-local-rows"]
    assert [row[2] for row in journal(session, "public.django_migrations_core_journal")] == [
        "reference-tables",
        "remove-local-rows",
    ]
    drawn = session.execute("SELECT nextval(pg_get_serial_sequence('inventory.drugs', 'id'))")
    assert drawn.fetchone() == (sequences["inventory.drugs_id_seq"] + 1,)

    again = call("distribute_domain", "--all", "--format", "json")
    assert (again.exit_status, json.loads(again.stdout)["status"]) == (0, "unchanged")
    assert call("migrate_domain", "--all", "--check").exit_status == 0
    assert call("verify_domain").exit_status == 0


def test_one_domain_after_the_other(
    session: psycopg.Connection, call: Callable[..., Result]
) -> None:
    rows = distribution.rows(session)

    first = call("distribute_domain", "inventory")

    assert first.exit_status == 0, first.stderr
    assert "foreign keys of finance, hr to tables that are on the nodes" in first.stderr
    assert distribution.distributed_schemas(session) == ["inventory"]
    assert distribution.rows(session) == rows
    assert "users" in distribution.local_rows(session)  # hr's rows would go with these.

    second = call("distribute_domain", "hr", "finance", "inventory", "--format", "json")

    assert second.exit_status == 0, second.stderr
    assert [each["status"] for each in json.loads(second.stdout)["domains"]] == [
        "distributed",
        "distributed",
        "unchanged",
    ]
    assert distribution.rows(session) == rows
    assert distribution.local_rows(session) == []
    assert call("verify_domain").exit_status == 0


def test_dry_run_leaves_nothing(session: psycopg.Connection, call: Callable[..., Result]) -> None:
    rows, sequences = distribution.rows(session), distribution.sequences(session)

    result = call("distribute_domain", "hr", "--dry-run")

    assert result.exit_status == 0, result.stderr
    assert "hr: would be distributed (10 tables, " in result.stdout
    assert "Nothing was changed." in result.stdout
    assert distribution.distributed_schemas(session) == []
    assert session.execute("SELECT count(*) FROM pg_dist_partition").fetchone() == (0,)
    assert distribution.rows(session) == rows
    assert distribution.sequences(session) == sequences
    assert journal(session, "hr.django_migrations_hr_journal") == []


def test_local_rows_of_a_killed_run_are_removed(
    session: psycopg.Connection, call: Callable[..., Result]
) -> None:
    assert call("distribute_domain", "--all").exit_status == 0
    # As a run that is killed after its commit leaves a table.
    session.execute("CREATE TABLE public.wards (id bigint PRIMARY KEY)")
    session.execute("INSERT INTO public.wards VALUES (1)")
    session.execute("SELECT create_reference_table('public.wards')")
    assert distribution.local_rows(session) == ["wards"]

    result = call("distribute_domain", "--all", "--format", "json")

    assert result.exit_status == 0, result.stderr
    printed = json.loads(result.stdout)
    assert (printed["status"], printed["emptied"]) == ("finished", ["public.wards"])
    assert distribution.local_rows(session) == []
    assert distribution.rows(session).pop("public.wards")[0] == 1


def test_terminal_is_asked(
    session: psycopg.Connection, migrated_citus_database: str, citus_cluster: CitusServers
) -> None:
    environment = citus_cluster.environment(migrated_citus_database)

    output, status = run_on_terminal(
        "distribute_domain", "hr", environment=environment, answer="n\n"
    )

    assert status == 1
    assert "This moves 10 tables of hr to the workers " in output
    assert "It cannot be undone in place" in output
    assert "Then foreign keys of finance, inventory to tables that are on the nodes" in output
    assert "Make a backup first. Continue? [y/N]" in output
    assert "Nothing was changed." in output
    assert distribution.distributed_schemas(session) == []


def test_triggers_of_a_partitioned_table_do_not_fire(
    session: psycopg.Connection, call: Callable[..., Result]
) -> None:
    session.execute("""
        CREATE TABLE hr.shifts (day date PRIMARY KEY) PARTITION BY RANGE (day);
        CREATE TABLE hr.earlier PARTITION OF hr.shifts FOR VALUES
            FROM ('2020-01-01') TO ('2025-01-01');
        CREATE TABLE hr.later PARTITION OF hr.shifts DEFAULT;
        CREATE TABLE public.shifts (day date); INSERT INTO public.shifts VALUES ('2020-01-01');
        CREATE TABLE hr.shift_log (id bigserial PRIMARY KEY, day date);
        CREATE FUNCTION hr.log_shift() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO hr.shift_log (day) VALUES (NEW.day); RETURN NULL; END';
        CREATE TRIGGER log_shift AFTER INSERT ON hr.shifts
            FOR EACH ROW EXECUTE FUNCTION hr.log_shift();
        INSERT INTO hr.shifts VALUES ('2024-01-01'), ('2026-01-01')
    """)
    rows, triggers = distribution.rows(session), distribution.triggers(session)
    assert rows["hr.shift_log"][0] == 2

    result = call("distribute_domain", "hr")

    assert result.exit_status == 0, result.stderr
    assert distribution.rows(session) == rows
    assert distribution.triggers(session) == triggers
    session.execute("INSERT INTO hr.shifts VALUES ('2024-01-02'), ('2026-01-02')")
    assert session.execute("SELECT count(*) FROM hr.shift_log").fetchone() == (4,)
    # A default that draws from a sequence is none of the shards'.
    assert "D082" not in call("verify_domain", "hr", "--only", "drift").stdout


def test_options_for_long_values_and_names_that_need_quotes(
    session: psycopg.Connection, call: Callable[..., Result]
) -> None:
    for table in ("hr.positions", "public.users"):
        session.execute(
            f"ALTER TABLE {table} ADD extra text;"  # With which there are long values at all.
            f" ALTER TABLE {table} SET (toast.autovacuum_enabled = off, fillfactor = 80)"
        )
    session.execute(
        'CREATE TABLE public."Odd ""ta.ble" (id bigint PRIMARY KEY);'
        ' ALTER TABLE public.users ADD COLUMN odd bigint REFERENCES public."Odd ""ta.ble"'
    )

    result = call("distribute_domain", "hr")

    assert result.exit_status == 0, result.stderr
    for table, copies in (("hr.positions", 1), ("public.users", 3)):
        found = session.execute(
            "SELECT result FROM run_command_on_placements(%s::regclass, 'SELECT t.reloptions::text"
            " FROM pg_class t JOIN pg_class c ON c.reltoastrelid = t.oid"
            " WHERE c.oid = ''%s''::regclass')".replace("''%s''", "''%%s''"),
            [table],
        ).fetchall()
        assert found == [("{autovacuum_enabled=off}",)] * copies


def test_an_owner_who_is_no_superuser(
    citus_database: str, citus_cluster: CitusServers, call: Callable[..., Result]
) -> None:
    owner = f"{citus_database}_owner"
    with citus_cluster.coordinator.connect(citus_database) as session:
        session.execute(f'CREATE ROLE "{owner}" LOGIN')
        superuser = session.info.user
    try:
        for node in citus_cluster.nodes:
            with node.connect() as session:
                session.execute(f'ALTER DATABASE "{citus_database}" OWNER TO "{owner}"')
        with pointed_at({**citus_cluster.settings(citus_database), "USER": owner}):
            assert call("migrate_domain", "hr", "--with-dependencies").exit_status == 0
            result = call("distribute_domain", "hr")
        assert result.exit_status == 0, result.stderr
        with citus_cluster.coordinator.connect(citus_database) as session:
            assert distribution.distributed_schemas(session) == ["hr"]
    finally:
        for node in citus_cluster.nodes:
            with node.connect() as session:
                session.execute(f'ALTER DATABASE "{citus_database}" OWNER TO "{superuser}"')
        with citus_cluster.coordinator.connect(citus_database) as session:
            session.execute(f'DROP OWNED BY "{owner}" CASCADE')
            session.execute(f'DROP ROLE "{owner}"')
