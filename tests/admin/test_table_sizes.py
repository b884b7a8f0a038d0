"""The estimated rows of tables, analysed or not."""

from __future__ import annotations

from django.db import connection, transaction

from domain_migrations.admin.table_sizes import read_tables
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
