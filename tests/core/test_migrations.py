"""Core's migrations: to zero and back, and the data migration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.catalog import execute, query
from tests.support.round_trip import (
    assert_filled_and_emptied_again,
    assert_zero_and_back_gives_the_same_catalog,
    migrate,
)

DECOY = 'CREATE TABLE "other"."cost_centres" (code text CONSTRAINT cost_centres_code_key UNIQUE)'


@pytest.fixture
def decoy(scratch_database: str) -> None:
    execute('CREATE SCHEMA "other"')
    execute(DECOY)
    execute("INSERT INTO other.cost_centres VALUES ('DECOY')")


def test_zero_and_back_gives_the_same_catalog(decoy: None, call: Any) -> None:
    migrate(call, "core")
    assert_zero_and_back_gives_the_same_catalog(
        call,
        "core",
        schema="public",
        left=["django_migrations", "django_migrations_core_journal"],
        others=["other"],
    )


@pytest.mark.parametrize("number", [3, 2500])
def test_thai_names_are_filled_and_emptied_again(decoy: None, call: Any, number: int) -> None:
    assert_filled_and_emptied_again(
        call,
        "core",
        between=("core.0002", "core.0003"),
        table="public.cost_centres",
        columns=("name_en", "name_th"),
        rows=[
            "(code, name_en, name_th, is_active) SELECT 'C' || n, 'Centre ' || n, '', true"
            f" FROM generate_series(1, {number}) AS n",
            "(code, name_en, name_th, is_active) VALUES ('PHARM', 'Pharmacy', 'เภสัชกรรม', true)",
        ],
        number=number,
        kept=("PHARM", "เภสัชกรรม"),
    )
    assert query("SELECT code FROM other.cost_centres") == [("DECOY",)]
