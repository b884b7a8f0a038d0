"""The statements that a transaction refuses, compared with the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import Error, transaction

from domain_migrations.api.lint.transactions import refused_in_transaction
from tests.support.catalog import execute, query

SETUP = """
CREATE SCHEMA lab;
CREATE TABLE lab.t (id int PRIMARY KEY, a text, b int);
CREATE INDEX i ON lab.t (a);
CREATE TABLE lab.p (id int) PARTITION BY RANGE (id);
CREATE TABLE lab.p1 PARTITION OF lab.p FOR VALUES FROM (1) TO (10);
CREATE MATERIALIZED VIEW lab.m AS SELECT 1 AS a;
CREATE UNIQUE INDEX mi ON lab.m (a);
CREATE PUBLICATION pub;
CREATE TYPE lab.kind AS ENUM ('a');
CREATE SUBSCRIPTION sub CONNECTION 'dbname=none' PUBLICATION pub
    WITH (connect = false, slot_name = NONE);
"""
STATEMENTS = (
    "CREATE INDEX CONCURRENTLY j ON lab.t (b)",
    "create /* now */ unique index concurrently if not exists j on lab.t (b)",
    "CREATE INDEX j ON lab.t (b)",
    'CREATE INDEX "concurrently" ON lab.t (b)',
    "DROP INDEX CONCURRENTLY lab.i",
    "DROP INDEX lab.i",
    "REINDEX INDEX lab.i",
    "REINDEX INDEX CONCURRENTLY lab.i",
    "REINDEX TABLE lab.t",
    "REINDEX TABLE CONCURRENTLY lab.t",
    "REINDEX (CONCURRENTLY) TABLE lab.t",
    "REINDEX (VERBOSE, CONCURRENTLY true) TABLE lab.t",
    "REINDEX (CONCURRENTLY off, VERBOSE) TABLE lab.t",
    "REINDEX SCHEMA lab",
    "REINDEX DATABASE {database}",
    "REINDEX SYSTEM {database}",
    "CLUSTER",
    "CLUSTER VERBOSE",
    "CLUSTER lab.t USING i",
    "CLUSTER VERBOSE lab.t USING i",
    "VACUUM",
    "VACUUM FULL lab.t",
    "VACUUM (ANALYZE) lab.t",
    "ANALYZE lab.t",
    "ALTER SYSTEM RESET ALL",
    "CREATE DATABASE other",
    "DROP DATABASE IF EXISTS other",
    "ALTER DATABASE {database} SET TABLESPACE pg_default",
    "ALTER DATABASE {database} CONNECTION LIMIT 10",
    "CREATE TABLESPACE other LOCATION '/nowhere'",
    "DROP TABLESPACE IF EXISTS other",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION pub",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false)",
    "ALTER SUBSCRIPTION sub SET PUBLICATION pub WITH (refresh = false)",
    "ALTER SUBSCRIPTION sub SET (slot_name = 'x')",
    "ALTER TABLE lab.p DETACH PARTITION lab.p1",
    "ALTER TABLE lab.p DETACH PARTITION lab.p1 CONCURRENTLY",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY lab.m",
    "ALTER TYPE lab.kind ADD VALUE 'b'",
    "DISCARD ALL",
    "DISCARD PLANS",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "DO $$ BEGIN COMMIT; END $$",
    "DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; ROLLBACK; END $$",
    "DO $$ BEGIN EXECUTE 'VACUUM'; END $$",
    "DO $$ BEGIN IF true THEN CREATE INDEX CONCURRENTLY j ON lab.t (b); END IF; END $$",
    "DO 'BEGIN PERFORM 1; END'",
    "CHECKPOINT",
    "TRUNCATE lab.t",
    "LOCK TABLE lab.t",
    "ALTER TABLE lab.t SET UNLOGGED",
    "CREATE TABLE lab.vacuum (id int)",
)


@pytest.fixture(scope="module")
def lab(module_database: str) -> Iterator[str]:
    execute(SETUP)
    yield module_database
    execute("DROP SUBSCRIPTION sub")  # A database that has one cannot be dropped.


@pytest.mark.parametrize("statement", STATEMENTS)
def test_refused_by_the_server_too(lab: str, statement: str) -> None:
    sql = statement.format(database=lab)
    error = None
    try:
        with transaction.atomic():
            query("SELECT 1")
            execute(sql)
            transaction.set_rollback(True)
    except Error as exc:
        error = exc.__cause__
    state = getattr(error, "sqlstate", None)
    # active_sql_transaction, and invalid_transaction_termination
    assert (state in ("25001", "2D000")) == bool(refused_in_transaction(sql)), error


@pytest.mark.parametrize(
    "statement",
    [
        "DROP SUBSCRIPTION sub",
        "ALTER SUBSCRIPTION sub REFRESH PUBLICATION",
        "ALTER SUBSCRIPTION sub ADD PUBLICATION pub",
    ],
)
def test_refused_where_the_subscription_has_a_slot(statement: str) -> None:
    assert refused_in_transaction(statement)
