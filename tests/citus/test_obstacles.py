"""Each obstacle is one: Citus refuses it, or what it does on shards fails; its remedy helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connections, transaction

from domain_migrations.api.distribute.accepted import notes
from domain_migrations.api.distribute.distribution_obstacles import domain_obstacles
from domain_migrations.api.distribute.facts import facts_for
from domain_migrations.api.obstacle import Obstacle
from domain_migrations.domains import QualifiedName, get_domain
from tests.support.catalog import execute, query
from tests.support.distribution_obstacles import BASE, CASES, FINE, INSERT, Case

pytestmark = pytest.mark.citus

SETTINGS = (
    "SET LOCAL citus.enable_unsafe_triggers = on",
    "SET LOCAL citus.enable_local_reference_table_foreign_keys = off",
)


@pytest.fixture(scope="module")
def base(citus_module_database: str) -> None:
    with transaction.atomic():
        for statement in (*SETTINGS, *BASE, "SELECT create_reference_table('public.users')"):
            execute(statement)


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        for statement in SETTINGS:
            execute(statement)
        yield
        transaction.set_rollback(True)


def found() -> list[Obstacle]:
    users = {QualifiedName("public", "users")}
    return list(
        domain_obstacles(facts_for(connections["default"], [get_domain("inventory")], users))
    )


def distribute() -> None:
    execute("ALTER TABLE inventory.drugs DISABLE TRIGGER USER")
    execute("SELECT citus_schema_distribute('inventory')")
    execute("ALTER TABLE inventory.drugs ENABLE TRIGGER USER")


@pytest.mark.parametrize("case", CASES, ids=[f"{case.id}-{case.object}" for case in CASES])
def test_an_obstacle_is_one_and_its_remedy_helps(base: None, case: Case) -> None:
    with rolled_back():
        for statement in case.make:
            execute(statement)
        [obstacle] = found()
        assert (obstacle.id, obstacle.object) == (case.id, case.object)
        if case.use or case.accepted:
            distribute()
        if not case.accepted:
            with pytest.raises(DatabaseError):
                execute(case.use) if case.use else distribute()

    with rolled_back():
        for statement in (*case.make, *(case.remedy or (obstacle.remedy,))):
            execute(statement)
        assert found() == []
        distribute()
        execute(case.use or INSERT)


def test_what_is_accepted_works(base: None) -> None:
    with rolled_back():
        for statement in FINE:
            execute(statement)
        assert found() == []
        distribute()
        execute(INSERT)
        assert query("SELECT note, k FROM inventory.log") == [("One", 10)]
        assert query("SELECT count FROM inventory.counts") == [(3,)]
        execute("DELETE FROM inventory.log")
        execute("REFRESH MATERIALIZED VIEW inventory.kept")
        assert query("SELECT count FROM inventory.kept") == [(3,)]
        execute("INSERT INTO inventory.numbered DEFAULT VALUES")


def test_a_view_with_a_trigger_takes_rows_and_no_changes(base: None) -> None:
    with rolled_back():
        execute(
            "CREATE VIEW inventory.drugs_view AS SELECT n, count(*) FROM inventory.drugs GROUP BY n"
        )
        execute(
            "CREATE FUNCTION inventory.g() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO inventory.drugs (n) VALUES (NEW.n); RETURN NEW; END $$"
        )
        execute(
            "CREATE TRIGGER t INSTEAD OF INSERT OR UPDATE ON inventory.drugs_view"
            " FOR EACH ROW EXECUTE FUNCTION inventory.g()"
        )
        facts = facts_for(connections["default"], [get_domain("inventory")], set())
        assert (
            "Views can be read, and not written any more: inventory.drugs_view. INSERT works where"
            " an INSTEAD OF trigger does it; UPDATE and DELETE fail."
        ) in list(notes(facts))
        distribute()
        execute("INSERT INTO inventory.drugs_view (n) VALUES (77)")
        assert query("SELECT n FROM inventory.drugs WHERE n > 70") == [(77,)]
        with pytest.raises(DatabaseError):
            execute("UPDATE inventory.drugs_view SET n = 78 WHERE n = 77")


def test_a_trigger_on_a_reference_table_fires_on_every_node(base: None) -> None:
    with rolled_back():
        execute(
            "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock(4321); RETURN NULL; END $$"
        )
        execute(
            "CREATE TRIGGER t AFTER INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.f()"
        )
        execute("INSERT INTO public.users VALUES (9, 'Nine')")
        fired = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4321"
        [(nodes,)] = query(
            f"SELECT sum(result::int) FROM run_command_on_all_nodes($$ {fired} $$, true)"
        )
        assert nodes == 3
