"""Reading domains where the server cannot reach another one, and where it can."""

from __future__ import annotations

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from domain_migrations.domains import Domain, get_domain
from domain_migrations.engine.cluster.reach import on_node, read_reachable, silent_node
from domain_migrations.exceptions import MigrationFailed, NodeLoginRefused, NodeUnavailable
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


def test_what_is_said_of_a_node() -> None:
    down = on_node("hr", "worker1:5432", "server closed the connection")
    refused = on_node("hr", "worker1:5432", 'FATAL:  role "hr_domain" is not permitted to log in\n')
    silent = silent_node({"worker2:5432", "worker1:5432"})

    assert down.message.endswith("are on the node worker1:5432, which does not answer.")
    assert isinstance(refused, NodeLoginRefused)
    assert refused.message.endswith(
        'let the session in: FATAL:  role "hr_domain" is not permitted to log in.'
    )
    assert "node worker1:5432, worker2:5432 was ended" in silent.message
    assert (down.exit_status, refused.exit_status, silent.exit_status) == (75, 1, 75)
