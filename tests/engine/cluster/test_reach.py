"""Reading domains where the server cannot reach another one, and where it can."""

from __future__ import annotations

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from domain_migrations.domains import Domain, get_domain
from domain_migrations.engine.cluster.reach import read_reachable
from domain_migrations.exceptions import MigrationFailed, NodeUnavailable
from tests.support.catalog import execute

UNREACHABLE = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '08006', MESSAGE = 'no node'; END $$"


@pytest.fixture
def domains(scratch_database: str) -> list[Domain]:
    return [get_domain("core"), get_domain("hr")]


def test_one_call_where_everything_answers(domains: list[Domain]) -> None:
    with CaptureQueriesContext(connections["default"]) as queries:
        found = read_reachable(connections["default"], domains, len)

    assert (found, len(queries)) == ((2, {}), 0)


def test_without_a_cluster_every_domain_has_the_error(domains: list[Domain]) -> None:
    with transaction.atomic():
        found, problems = read_reachable(
            connections["default"], domains, lambda part: execute(UNREACHABLE)
        )
        execute("SELECT 1")

    assert found is None
    assert list(problems) == ["core", "hr"]
    assert all(type(error) is NodeUnavailable for error in problems.values())


def test_other_errors_are_raised(domains: list[Domain]) -> None:
    with pytest.raises(MigrationFailed):
        read_reachable(connections["default"], domains, lambda part: execute("SELECT nothing"))
