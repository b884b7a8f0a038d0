"""What `lint_domain --engine citus` reports is refused by Citus, and what it advises works."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.citus_cases import CASES, DISTRIBUTED, TABLES, Case
from tests.support.cluster import CitusServers

pytestmark = pytest.mark.citus


@pytest.fixture(scope="module")
def tables(citus_cluster: CitusServers, citus_module_database: str) -> str:
    with citus_cluster.coordinator.connect(citus_module_database) as session:
        for statement in ("CREATE SCHEMA hr", "CREATE SCHEMA inventory", *TABLES.split(";\n")):
            session.execute(statement)
        for statement in DISTRIBUTED:
            session.execute(statement)
    return citus_module_database


@pytest.fixture
def session(citus_cluster: CitusServers, tables: str) -> Iterator[psycopg.Connection]:
    """A session on the coordinator of a database with the cases' tables, in a transaction."""
    session = citus_cluster.coordinator.connect(tables, autocommit=False)
    yield session
    session.close()


def run(session: psycopg.Connection, *statements: str) -> None:
    for statement in statements:
        session.execute(statement)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused(session: psycopg.Connection, case: Case) -> None:
    run(session, *case.works)
    session.rollback()

    *before, refused = (*case.refused, *([case.use] if case.use else []))
    run(session, *before)
    if not case.says:
        run(session, refused)
        return
    with pytest.raises(psycopg.Error, match=re.escape(case.says)):
        run(session, refused)
