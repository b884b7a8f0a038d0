"""docs/explanation/citus.md: what Citus enforces, and what it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.support.citus_cases import BODY, DISTRIBUTED, INSERT, TABLES, TRIGGER, TRIGGERS
from tests.support.cluster import CitusServers
from tests.support.commands import ROOT

pytestmark = pytest.mark.citus

PAGE = " ".join((ROOT / "docs/explanation/citus.md").read_text().split())
LOCAL = (
    "SET LOCAL citus.enable_local_reference_table_foreign_keys = off",
    "CREATE TABLE public.local (id bigint PRIMARY KEY, parent bigint)",
)
REFUSED = {
    "from a domain to another": (
        "ALTER TABLE hr.things ADD CONSTRAINT k FOREIGN KEY (size) REFERENCES inventory.drugs"
        " NOT VALID",
        "cannot create foreign key constraint since relations are not colocated or not referencing"
        " a reference table",
    ),
    "from a reference table": (
        "ALTER TABLE public.people ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES hr.things",
        "foreign keys from reference tables and local tables to distributed tables are not"
        " supported",
    ),
    "to a local table": (
        *LOCAL,
        "ALTER TABLE hr.things ADD CONSTRAINT k FOREIGN KEY (size) REFERENCES public.local",
        "must be a distributed table or a reference table",
    ),
    "join": (
        "SELECT * FROM hr.things t JOIN inventory.drugs d ON t.size = d.size",
        "the query contains a join that requires repartitioning",
    ),
    "subquery": (
        "DELETE FROM hr.things WHERE size IN (SELECT size FROM inventory.drugs)",
        "does not support queries that reference non-colocated distributed tables",
    ),
    "core by a domain's rows": (
        "UPDATE public.people SET name = '' WHERE id IN (SELECT size FROM hr.things)",
        "cannot perform select on a distributed table and modify a reference table",
    ),
    "inheritance": (
        "CREATE TABLE hr.child () INHERITS (hr.wards)",
        "tables in a distributed schema cannot inherit or be inherited",
    ),
    "another schema": (
        "ALTER TABLE hr.things SET SCHEMA public",
        "set schema is not allowed",
    ),
    "trigger that writes core": (
        BODY.format("BEGIN UPDATE public.people SET name = ''; RETURN new; END"),
        TRIGGERS,
        TRIGGER.format(""),
        INSERT,
        "cannot execute a distributed query from a query on a shard",
    ),
    "trigger that writes a local table": (
        *LOCAL,
        BODY.format("BEGIN DELETE FROM public.local; RETURN new; END"),
        TRIGGERS,
        TRIGGER.format(""),
        INSERT,
        "does not exist",
    ),
    "NOTIFY in a trigger": (
        BODY.format("BEGIN NOTIFY news; RETURN new; END"),
        TRIGGERS,
        TRIGGER.format(""),
        INSERT,
        "INSERT INTO public.people VALUES (7, '')",
        "COMMIT",
        "cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY",
    ),
    "deferred key": (
        "INSERT INTO hr.things (ward_id) VALUES (99)",
        "COMMIT",
        "could not commit transaction for shard",
    ),
}


@pytest.fixture(scope="module")
def tables(citus_cluster: CitusServers, citus_module_database: str) -> str:
    with citus_cluster.coordinator.connect(citus_module_database) as session:
        for statement in ("CREATE SCHEMA hr", "CREATE SCHEMA inventory", *TABLES.split(";\n")):
            session.execute(statement)
        for statement in DISTRIBUTED:
            session.execute(statement)
    return citus_module_database


@pytest.fixture
def run(citus_cluster: CitusServers, tables: str) -> Iterator[Callable[..., list[object]]]:
    """A function that runs statements in one transaction; the first column of the last one."""
    session = citus_cluster.coordinator.connect(tables, autocommit=False)

    def execute(*statements: str) -> list[object]:
        rows: list[object] = []
        for statement in statements:
            cursor = session.execute(statement)
            rows = [row[0] for row in cursor.fetchall()] if cursor.description else []
        return rows

    yield execute
    session.close()


@pytest.mark.parametrize("name", REFUSED)
def test_enforced(run: Callable[..., list[object]], name: str) -> None:
    *statements, message = REFUSED[name]
    assert message in PAGE
    with pytest.raises(psycopg.Error, match=re.escape(message)):
        run(*statements)


def test_change_of_a_table_on_a_worker(citus_cluster: CitusServers, tables: str) -> None:
    with (
        citus_cluster.workers[0].connect(tables) as session,
        pytest.raises(psycopg.Error, match="operation is not allowed on this node"),
    ):
        session.execute("ALTER TABLE hr.things ADD COLUMN n integer")


def test_another_domain_is_written(run: Callable[..., list[object]]) -> None:
    run("INSERT INTO hr.wards (name) SELECT 'copied' FROM inventory.drugs")
    run("CREATE VIEW hr.v AS SELECT t.id FROM hr.things t JOIN inventory.drugs d USING (size)")
    run("UPDATE hr.things SET size = 5", "UPDATE inventory.drugs SET size = 5")
    assert run("SELECT count(*) FROM hr.wards WHERE name = 'copied'") == [1]


def test_trigger_that_writes_another_domain(run: Callable[..., list[object]]) -> None:
    on_one_node = run(
        "SELECT count(DISTINCT (nodename, nodeport)) FROM citus_shards"
        " WHERE table_name::text IN ('hr.things', 'inventory.drugs')"
    ) == [1]
    run(BODY.format("BEGIN UPDATE inventory.drugs SET size = 77; RETURN new; END"))
    run(TRIGGERS, TRIGGER.format(""))
    if on_one_node:
        run(INSERT)
        assert run("SELECT size FROM inventory.drugs") == [77]
    else:
        with pytest.raises(psycopg.Error, match="from a query on a shard"):
            run(INSERT)


@pytest.mark.parametrize(("target", "key"), [("public.people", 1), ("hr.things", 1)])
def test_parent_of_a_local_table_is_deleted(
    run: Callable[..., list[object]], target: str, key: int
) -> None:
    run(*LOCAL, f"ALTER TABLE public.local ADD FOREIGN KEY (parent) REFERENCES {target}")
    run(f"INSERT INTO public.local VALUES (1, {key})", f"DELETE FROM {target} WHERE id = {key}")
    assert run("SELECT parent FROM public.local") == [key]
    assert run(f"SELECT id FROM {target} WHERE id = {key}") == []


def test_trigger_of_a_reference_table_fires_on_every_node(
    citus_cluster: CitusServers, tables: str
) -> None:
    told: list[str | None] = []
    with citus_cluster.coordinator.connect(tables, autocommit=False) as session:
        session.add_notice_handler(lambda notice: told.append(notice.message_primary))
        session.execute(BODY.format("BEGIN RAISE NOTICE 'fired'; RETURN new; END"))
        session.execute(TRIGGERS)
        session.execute(TRIGGER.format("").replace("hr.things", "public.people"))
        session.execute("INSERT INTO public.people VALUES (8, '')")
        session.rollback()
    assert told.count("fired") == len(citus_cluster.nodes)


def test_advisory_locks_of_a_worker_exclude_nobody(
    citus_cluster: CitusServers, tables: str
) -> None:
    with (
        citus_cluster.workers[0].connect(tables) as worker,
        citus_cluster.coordinator.connect(tables) as coordinator,
    ):
        worker.execute("SELECT pg_advisory_lock(4711)")
        assert coordinator.execute("SELECT pg_try_advisory_lock(4711)").fetchone() == (True,)


def test_workers_draw_ids_from_a_range_of_their_own(
    citus_cluster: CitusServers, tables: str
) -> None:
    with citus_cluster.workers[0].connect(tables) as worker:
        cursor = worker.execute("INSERT INTO hr.wards (name) VALUES ('w') RETURNING id")
        ((number,),) = cursor.fetchall()
    assert number >= 281474976710657
    assert "281474976710657" in PAGE


def test_no_way_back_in_place(run: Callable[..., list[object]]) -> None:
    with pytest.raises(psycopg.Error, match="identity column"):
        run("SELECT citus_schema_undistribute('hr')")
