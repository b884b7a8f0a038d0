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
from tests.support.distribution_obstacles import BASE, CASES, FINE, Case

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
