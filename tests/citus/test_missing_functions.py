"""Functions that were there before the extension, and that no table depends on."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections, transaction

from domain_migrations.engine.cluster.missing_functions import create_unknown_functions
from tests.support.catalog import execute, query

pytestmark = pytest.mark.citus

BEFORE = (
    "SET LOCAL citus.enable_ddl_propagation = off",
    "CREATE FUNCTION hr.number() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM hr.staff'",
    "CREATE FUNCTION hr.note() RETURNS void LANGUAGE plpgsql AS"
    " $$ BEGIN INSERT INTO hr.log (note) VALUES (hr.number()); END $$",
    "CREATE FUNCTION hr.f() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM hr.note(); RETURN NULL; END $$",
    "CREATE TRIGGER t AFTER INSERT ON hr.staff FOR EACH ROW EXECUTE FUNCTION hr.f()",
    "SET LOCAL citus.enable_ddl_propagation = on",
)


@pytest.fixture(scope="module")
def tables(citus_module_database: str) -> None:
    execute("CREATE SCHEMA hr")
    execute("CREATE TABLE hr.staff (id bigint PRIMARY KEY)")
    execute("CREATE TABLE hr.log (note bigint)")


@pytest.mark.parametrize("are_created", [False, True])
def test_what_a_trigger_calls_is_on_the_node(tables: None, are_created: bool) -> None:
    with transaction.atomic():
        execute("SET LOCAL citus.enable_unsafe_triggers = on")
        for statement in BEFORE:
            execute(statement)
        execute("SELECT citus_schema_distribute('hr')")
        if are_created:
            assert create_unknown_functions(connections["default"], ["hr"]) == 2
            assert create_unknown_functions(connections["default"], ["hr"]) == 0
            execute("INSERT INTO hr.staff VALUES (1)")
            assert query("SELECT note FROM hr.log") == [(1,)]
        else:
            with pytest.raises(DatabaseError, match=r"function hr\.note"):
                execute("INSERT INTO hr.staff VALUES (1)")
        transaction.set_rollback(True)
