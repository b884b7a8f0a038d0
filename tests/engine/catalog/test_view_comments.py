"""The comments by which views under old names are recognised, which anybody may edit."""

from __future__ import annotations

import pytest
from django.db import connection

from domain_migrations.engine.catalog.compat_views import read_compat_views
from tests.support.catalog import execute


@pytest.mark.parametrize(
    ("until", "found"), [("2026-02-28", 1), ("2026-02-30", 0), ("2026-99-99", 0), ("0000-00-00", 0)]
)
def test_a_day_that_does_not_exist_makes_an_ordinary_view(
    scratch_database: str, until: str, found: int
) -> None:
    execute(f"""
        CREATE SCHEMA lab CREATE TABLE items (id int);
        CREATE VIEW public.items AS SELECT * FROM lab.items;
        COMMENT ON VIEW public.items IS 'domain_migrations: stands in for lab.items until {until}';
    """)
    assert len(read_compat_views(connection, of="lab")) == found
