"""The estimated rows of tables, analysed or not."""

from __future__ import annotations

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from domain_migrations.admin.table_sizes import Size, read_sizes, read_tables
from domain_migrations.domains import get_domain
from tests.support.catalog import execute


def rows() -> dict[str, int | None]:
    return {table.name: table.rows for table in read_tables(connection, ["lab"])}


def test_rows_of_tables_that_were_never_analysed(scratch_database: str) -> None:
    execute("CREATE SCHEMA lab")
    execute("CREATE TABLE lab.none_yet (id int)")
    execute("CREATE TABLE lab.filled AS SELECT generate_series(1, 7)")
    execute("CREATE TABLE lab.analysed AS SELECT generate_series(1, 9)")
    execute("ANALYZE lab.analysed")
    execute("CREATE TABLE lab.parts (id int) PARTITION BY RANGE (id)")
    execute("SELECT pg_stat_force_next_flush()")
    assert rows() == {"analysed": 9, "filled": 7, "none_yet": 0, "parts": None}


def test_reading_does_not_wait_for_a_locked_table(scratch_database: str) -> None:
    execute("CREATE SCHEMA lab")
    execute("CREATE TABLE lab.none_yet (id int)")
    with transaction.atomic():
        execute("LOCK lab.none_yet IN ACCESS EXCLUSIVE MODE")
        assert rows() == {"none_yet": None}


def test_without_a_cluster_two_queries_read_the_sizes(scratch_database: str) -> None:
    execute("CREATE SCHEMA hr")
    execute("CREATE TABLE hr.positions (id int PRIMARY KEY)")
    execute("CREATE TABLE public.pg_dist_partition (logicalrelid regclass)")

    with CaptureQueriesContext(connection) as queries:
        sizes = read_sizes(connection, [get_domain("hr"), get_domain("inventory")])

    assert sizes == {"hr": Size(1, 8192), "inventory": Size(0, 0)}
    assert len(queries) == 2
