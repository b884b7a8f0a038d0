"""Pages of a domain with a long history and a long journal read as few rows as of a short one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.support.business import rolled_back, superuser_client
from tests.support.catalog import execute

RUN = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
UNKNOWN, JOURNAL = 20_000, 60_000

GROW_HISTORY = """
INSERT INTO hr.django_migrations_hr (app, name, applied)
SELECT 'hr', '1' || to_char(n, 'FM000000') || '_gone', now() FROM generate_series(1, %s) n
"""
GROW_JOURNAL = """
INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status, started,
    seconds, checksum, os_user, host, project_version, engine_version, django_version, footprint,
    details, error, sqlstate)
SELECT CASE WHEN n %% 2 = 0 THEN %s ELSE gen_random_uuid() END, n, 'hr',
    CASE WHEN n %% 3 = 0 THEN '0001_initial' ELSE '1' || to_char(n / 3, 'FM000000') || '_gone' END,
    'forwards', 'done', now(), 0.1, '1:0', 'u', 'h', '', '', '', '{"hr.employees": "ShareLock"}',
    '{}', '', ''
FROM generate_series(1, %s) n
"""
PAGES = {
    "overview": reverse("admin:domain_migrations_domain_changelist"),
    "domain": reverse("admin:domain_migrations_detail", args=["hr"]),
    "migration": reverse("admin:domain_migrations_migration", args=["hr", "hr", "0001_initial"]),
    "unknown": reverse("admin:domain_migrations_migration", args=["hr", "hr", "1000009_gone"]),
    "journal": reverse("admin:domain_migrations_journal"),
    "run": reverse("admin:domain_migrations_run", args=[RUN]),
}


@pytest.fixture(autouse=True)
def migrated(migrated_module_database: str) -> Iterator[None]:
    with rolled_back():
        yield


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each query has returned."""
    counts: list[int] = []
    fetchall = psycopg.Cursor.fetchall

    def counting(cursor: psycopg.Cursor[tuple[object, ...]]) -> list[tuple[object, ...]]:
        rows = fetchall(cursor)
        counts.append(len(rows))
        return rows

    monkeypatch.setattr(psycopg.Cursor, "fetchall", counting)
    return counts


def grow(unknown: int, journal: int) -> None:
    execute(GROW_HISTORY, unknown)
    execute(GROW_JOURNAL, RUN, journal)


def visit(client: Client, address: str, fetched: list[int]) -> tuple[int, int]:
    """The numbers of queries and of rows that a page reads."""
    client.get(address)  # Caches are filled.
    fetched.clear()
    with CaptureQueriesContext(connections["default"]) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries), sum(fetched)


def test_rows_and_queries_do_not_grow(fetched: list[int]) -> None:
    client = superuser_client()
    grow(300, 900)
    short = {name: visit(client, address, fetched) for name, address in PAGES.items()}
    execute("DELETE FROM hr.django_migrations_hr WHERE starts_with(name, '1')")
    execute("DELETE FROM hr.django_migrations_hr_journal WHERE checksum = '1:0'")
    grow(UNKNOWN, JOURNAL)
    assert {name: visit(client, address, fetched) for name, address in PAGES.items()} == short


def test_every_migration_is_on_one_page() -> None:
    client = superuser_client()
    grow(150, 300)
    first, last = (
        client.get(PAGES["domain"], {"page": number}).content.decode() for number in (1, 2)
    )
    assert "163 migrations" in first
    assert "hr.1000087_gone</a>" in first
    assert "hr.1000088_gone</a>" not in first
    assert "hr.1000088_gone</a>" in last
    assert "hr.1000150_gone</a>" in last
