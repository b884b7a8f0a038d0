"""A proof on a server that has no place for all locks of one transaction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import databases
from tests.support.moving_domain import running_server
from tests.support.projects import write_project

TABLE = """
CREATE TABLE depot.things_{0} (id serial PRIMARY KEY, name text UNIQUE, n int DEFAULT depot.one())
"""
FUNCTION = """
CREATE FUNCTION depot.one() RETURNS int LANGUAGE sql
AS $$ SELECT 1 WHERE EXISTS (SELECT FROM depot.later) OR true $$
"""
TABLES = 150


@pytest.mark.slow_stress
def test_a_migration_with_too_many_locks_is_proven_statement_by_statement(tmp_path: Path) -> None:
    few = {"max_connections": "10", "max_locks_per_transaction": "10"}
    with (
        running_server("18", **few) as server,
        databases.scratch(server, prefix="locks") as name,
        server.connect(name) as session,
    ):
        session.execute("CREATE SCHEMA depot")
        session.execute("SET check_function_bodies = off")
        session.execute(FUNCTION)
        for number in range(TABLES):
            session.execute(TABLE.format(number))
        session.execute("CREATE TABLE depot.later ()")
        database = {**server.settings, "NAME": name}
        project = write_project(tmp_path, {}, database=database)
        inspected = project.manage("inspect_domain", "depot", "--format", "json")
        result = json.loads(inspected.stdout)
        assert result["proven"], result
        assert result["written"]
        assert [note for note in result["notes"] if "max_locks_per_transaction" in note]
        left = session.execute("SELECT datname FROM pg_database WHERE datname LIKE '%inspect_%'")
        assert left.fetchall() == []
