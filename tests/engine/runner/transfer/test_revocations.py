"""The return of a table after what its transfer had granted was changed by somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections

from tests.engine.runner.transfer.conftest import SLOW, Exchange
from tests.support.catalog import execute, query

pytestmark = pytest.mark.parametrize("way", ["to a domain"], indirect=True)


@pytest.fixture
def reader(filled: Exchange) -> Iterator[str]:
    """A role that may read the table, and gets USAGE on its new schema."""
    name = f"heir_{connections['default'].settings_dict['NAME']}"
    execute(
        f"CREATE ROLE {name}; GRANT USAGE ON SCHEMA lab TO {name};"
        f"GRANT SELECT ON lab.companies TO {name}; GRANT SELECT ON lab.companies_id_seq TO {name}"
    )
    filled.surrounded().run(filled.after, "ward")
    yield name
    if query("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
        execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize(
    "change",
    [
        "DROP PUBLICATION by_schema",
        pytest.param("ALTER PUBLICATION by_schema DROP TABLE ward.companies", marks=SLOW),
        pytest.param("ALTER PUBLICATION by_schema RENAME TO renamed", marks=SLOW),
        pytest.param("DROP OWNED BY {reader}; DROP ROLE {reader}", marks=SLOW),
        "REVOKE USAGE ON SCHEMA ward FROM {reader}",
    ],
)
def test_what_is_gone_is_not_revoked(filled: Exchange, reader: str, change: str) -> None:
    execute(change.format(reader=reader))
    filled.back("ward")
    assert filled.place() == "lab"


@pytest.mark.parametrize(
    ("more", "keeps"),
    [
        ("SELECT", False),
        ("CREATE TABLE ward.beds (id int); GRANT SELECT ON ward.beds TO {reader}", True),
        pytest.param(
            "CREATE TABLE ward.beds (id int); GRANT SELECT (id) ON ward.beds TO {reader}",
            True,
            marks=SLOW,
        ),
        pytest.param(
            "CREATE VIEW ward.beds AS SELECT 1; ALTER VIEW ward.beds OWNER TO {reader}",
            True,
            marks=SLOW,
        ),
        pytest.param(
            "CREATE SEQUENCE ward.beds; GRANT USAGE ON SEQUENCE ward.beds TO {reader}",
            True,
            marks=SLOW,
        ),
        pytest.param(
            "CREATE FUNCTION ward.beds() RETURNS int LANGUAGE sql AS 'SELECT 1';"
            "GRANT EXECUTE ON FUNCTION ward.beds() TO {reader}",
            True,
            marks=SLOW,
        ),
        pytest.param(
            "CREATE TYPE ward.bed AS ENUM (); GRANT USAGE ON TYPE ward.bed TO {reader}",
            True,
            marks=SLOW,
        ),
        ("CREATE TABLE other.beds (id int); GRANT SELECT ON other.beds TO {reader}", False),
    ],
)
def test_a_schema_whose_other_objects_a_role_uses_is_left_to_it(
    filled: Exchange, reader: str, more: str, keeps: bool
) -> None:
    execute(more.format(reader=reader))
    filled.back("ward")
    held = query("SELECT has_schema_privilege(%s, 'ward', 'USAGE')", reader)
    assert held == [(keeps,)]
    assert (
        query(
            "SELECT pubname FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid"
            " WHERE pubname = 'by_schema'"
        )
        == []
    )


def test_a_published_schema_publishes_the_table_that_returns(filled: Exchange) -> None:
    """Nobody is told that its subscribers receive no more of it."""
    filled.surrounded().run(filled.after, "ward")
    result = filled.after.manage("migrate_domain", "lab", "lab.0002_more", "--noinput")
    assert result.returncode == 0, result.stderr
    assert "publication" not in result.stdout + result.stderr
    assert "This reverts 2 migrations." in result.stdout
    published = query("SELECT pubname FROM pg_publication_tables WHERE tablename = 'companies'")
    assert sorted(published) == [("by_schema",), ("by_table",)]
