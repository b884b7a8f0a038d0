"""Single statements that the guard refuses, with the error of each, or allows."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.engine.guard.allowed_cases import IN_INVENTORY, LEGAL, OWNERS, VIOLATIONS
from tests.engine.guard.helpers import lay_out, refusal
from tests.support import catalog

REFUSED = "Migration inventory.0002_change is refused: its operation"


@pytest.fixture(scope="module")
def untouched(module_database: str) -> dict[str, str]:
    """The landscape's fingerprints."""
    lay_out()
    return catalog.snapshot()


@pytest.mark.parametrize(("statement", "did", "hint"), VIOLATIONS, ids=[v[0] for v in VIOLATIONS])
def test_refuses(untouched: dict[str, str], statement: str, did: str, hint: str) -> None:
    assert refusal(statement) == (f"{REFUSED} 1, RunSQL, {did.format(**OWNERS)}", hint)
    assert catalog.snapshot() == untouched


@pytest.mark.parametrize("statement", LEGAL)
def test_allows(untouched: dict[str, str], statement: str) -> None:
    assert refusal(statement) is None


@pytest.fixture
def extension(untouched: dict[str, str]) -> str:
    """Some extension that the server has; which ones differs between packages."""
    ((name,),) = catalog.query(
        "SELECT name FROM pg_available_extensions WHERE installed_version IS NULL"
        " AND name IN ('pg_trgm', 'vector', 'citext', 'hstore') ORDER BY 1 LIMIT 1"
    )
    return name


def test_refuses__extension_in_public(extension: str) -> None:
    assert refusal(f"CREATE EXTENSION {extension}") == (
        f"{REFUSED} 1, RunSQL, made extension {extension}, which belongs to core.",
        IN_INVENTORY,
    )


def test_allows__extension_of_its_own(extension: str) -> None:
    assert refusal(f"CREATE EXTENSION {extension} SCHEMA inventory") is None


def test_allows__extension_that_exists(extension: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE EXTENSION {extension}")
    try:
        assert refusal(f"CREATE EXTENSION IF NOT EXISTS {extension}") is None
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP EXTENSION {extension}")


def test_galleries_are_large_enough() -> None:
    assert len({statement for statement, _, _ in VIOLATIONS}) >= 40
    assert len(set(LEGAL)) >= 40
