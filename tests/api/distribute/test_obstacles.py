"""What keeps a domain from being distributed, in catalogs of any PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections, transaction

from domain_migrations.api.distribute.distribution_obstacles import domain_obstacles
from domain_migrations.api.distribute.facts import Facts, facts_for
from domain_migrations.api.obstacle import Obstacle
from domain_migrations.domains import QualifiedName, get_domain
from tests.support.catalog import execute
from tests.support.distribution_obstacles import BASE, CASES, FINE, Case, trigger

USERS = QualifiedName("public", "users")


@pytest.fixture(scope="module")
def base(module_database: str) -> None:
    for statement in BASE:
        execute(statement)


@pytest.fixture
def rolled_back(base: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def facts() -> Facts:
    return facts_for(connections["default"], [get_domain("inventory")], {USERS})


def found() -> list[Obstacle]:
    return list(domain_obstacles(facts()))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.id}-{case.object}" for case in CASES])
def test_an_obstacle_is_named_and_its_remedy_removes_it(rolled_back: None, case: Case) -> None:
    for statement in case.make:
        execute(statement)
    obstacles = found()
    assert [(each.id, each.object) for each in obstacles] == [(case.id, case.object)]
    [obstacle] = obstacles
    of_core = case.object.startswith("public.")
    assert (obstacle.side, obstacle.domain) == ("default", "" if of_core else "inventory")
    for statement in case.remedy or (obstacle.remedy,):
        execute(statement)
    assert found() == []


def test_what_is_accepted_is_no_obstacle(rolled_back: None) -> None:
    for statement in FINE:
        execute(statement)
    assert found() == []


def test_an_owner_that_may_not_log_in(rolled_back: None) -> None:
    execute("CREATE ROLE distribution_test")
    execute("ALTER TABLE inventory.log OWNER TO distribution_test")
    [obstacle] = found()
    assert (obstacle.id, obstacle.object) == ("role_nologin", "distribution_test")
    assert obstacle.remedy == "ALTER ROLE distribution_test LOGIN;"
    execute(obstacle.remedy)
    assert found() == []


def test_not_null_that_rows_violate(rolled_back: None) -> None:
    if connections["default"].pg_version < 180000:
        pytest.skip("NOT NULL ... NOT VALID needs PostgreSQL 18.")
    execute("ALTER TABLE inventory.drugs ADD CONSTRAINT s NOT NULL seen NOT VALID")
    execute("ALTER TABLE inventory.drugs ADD CONSTRAINT n CHECK (n > 100) NOT ENFORCED")
    [obstacle] = found()
    assert (obstacle.id, obstacle.object) == ("check_violated", "inventory.drugs")
    assert obstacle.remedy == (
        "Repair the rows for which seen IS NULL, or: ALTER TABLE inventory.drugs DROP CONSTRAINT s;"
    )


def test_what_a_function_calls_is_read_too(rolled_back: None) -> None:
    execute(
        "CREATE FUNCTION inventory.tidy() RETURNS void LANGUAGE sql AS"
        " 'DELETE FROM inventory.log WHERE seen < clock_timestamp()'"
    )
    for statement in trigger("PERFORM inventory.tidy();"):
        execute(statement)
    assert [(each.id, each.object) for each in found()] == [
        ("function_volatile", "inventory.tidy()")
    ]


def test_a_table_whose_columns_are_all_dropped(rolled_back: None) -> None:
    """Not tried on a cluster: Citus' server process ends with a segmentation fault."""
    execute("CREATE TABLE inventory.empty ()")
    assert found() == []
    execute("CREATE TABLE inventory.bare (n int)")
    execute("ALTER TABLE inventory.bare DROP n")
    [obstacle] = found()
    assert (obstacle.id, obstacle.object) == ("no_columns", "inventory.bare")
    execute("ALTER TABLE inventory.bare ADD n int")
    assert found() == []


def test_tables_of_core_in_a_circle_of_keys(rolled_back: None) -> None:
    tables = {USERS, QualifiedName("public", "plain")}
    execute("INSERT INTO public.plain VALUES (1)")
    execute("ALTER TABLE public.users ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES public.plain")
    connection, inventory = connections["default"], [get_domain("inventory")]
    assert not [*domain_obstacles(facts_for(connection, inventory, tables))]
    execute("ALTER TABLE public.plain ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES public.users")
    obstacles = [*domain_obstacles(facts_for(connection, inventory, tables))]
    assert [(each.id, each.object) for each in obstacles] == [
        ("foreign_key_circle", "public.plain"),
        ("foreign_key_circle", "public.users"),
    ]
    statement, _, advice = obstacles[0].remedy.partition(";")
    assert advice == " and add it again when the domains are distributed."
    execute(statement)
    assert not [*domain_obstacles(facts_for(connection, inventory, tables))]


def test_owners_whom_the_runner_does_not_belong_to(rolled_back: None) -> None:
    execute('CREATE ROLE "Checks owner" LOGIN')
    execute("CREATE ROLE checks_runner LOGIN")
    for schema in ("inventory", "public"):
        execute(f'GRANT ALL ON SCHEMA {schema} TO "Checks owner", checks_runner')
    execute("ALTER SCHEMA inventory OWNER TO checks_runner")
    execute("ALTER TABLE inventory.drugs OWNER TO checks_runner")
    execute("ALTER TABLE public.users OWNER TO checks_runner")
    execute('ALTER TABLE inventory.log OWNER TO "Checks owner"')
    assert found() == []
    execute("SET LOCAL ROLE checks_runner")
    [obstacle] = found()
    assert (obstacle.id, obstacle.object) == ("not_owner", "Checks owner")
    assert (
        "owns inventory.log, inventory.log_id_seq, and the role checks_runner" in obstacle.message
    )
    execute("RESET ROLE")
    execute(obstacle.remedy)
    execute("SET LOCAL ROLE checks_runner")
    assert found() == []
    execute("RESET ROLE")
