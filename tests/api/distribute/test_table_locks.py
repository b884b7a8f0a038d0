"""The order of the locks of a distribution, on a server without a cluster."""

from __future__ import annotations

import threading

from django.db import connections, transaction

from domain_migrations.api.distribute.table_locks import lock_order, lock_tables
from domain_migrations.domains import QualifiedName
from tests.support.catalog import execute, query
from tests.support.servers import TestServer
from tests.support.sessions import until

TABLES = """
CREATE SCHEMA lab;
CREATE TABLE lab.z_kinds (id int PRIMARY KEY);
CREATE TABLE lab.moves (id int) PARTITION BY RANGE (id);
CREATE TABLE lab.a_first PARTITION OF lab.moves FOR VALUES FROM (0) TO (10)
    PARTITION BY LIST (id);
CREATE TABLE lab."A first" PARTITION OF lab.a_first DEFAULT;
CREATE TABLE lab.self (
    id int PRIMARY KEY, other int REFERENCES lab.self, kind int REFERENCES lab.z_kinds);
CREATE SCHEMA decoy;
CREATE TABLE decoy.moves (id int) PARTITION BY LIST (id);
"""
LEAVES = [QualifiedName("lab", name) for name in ("A first", "self", "z_kinds")]
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (\
SELECT oid FROM pg_database WHERE datname = current_database())"


def test_parents_and_targets_first(scratch_database: str) -> None:
    execute(TABLES)
    ordered = [table.name for table in lock_order(connections["default"], LEAVES, ["lab"])]
    assert sorted(ordered) == ["A first", "a_first", "moves", "self", "z_kinds"]
    for places in (["moves", "a_first", "A first"], ["z_kinds", "self"]):
        assert sorted(places, key=ordered.index) == places


def test_writer_of_a_parent_is_waited_for_without_a_deadlock(
    scratch_database: str, postgres_server: TestServer
) -> None:
    execute(TABLES)

    locked = []

    def lock() -> None:
        with transaction.atomic():
            lock_tables(connections["default"], LEAVES, ["lab"])
        locked.append(True)
        connections.close_all()

    with postgres_server.connect(scratch_database) as writer:
        writer.execute("BEGIN; LOCK TABLE ONLY lab.moves IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=lock)
        thread.start()
        until(lambda: query(WAITS) == [(1,)])
        writer.execute("INSERT INTO lab.moves VALUES (5)")  # Would end one of them.
        writer.execute("COMMIT")
        thread.join()
    assert locked == [True]
