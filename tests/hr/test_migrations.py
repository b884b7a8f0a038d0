"""The migrations of human resources: to zero and back, and the data migration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.catalog import execute, query
from tests.support.round_trip import (
    assert_filled_and_emptied_again,
    assert_zero_and_back_gives_the_same_catalog,
)

pytestmark = pytest.mark.usefixtures("replayed")

DECOYS = (
    "CREATE TABLE public.employees (id int CONSTRAINT employees_number_key PRIMARY KEY)",
    "CREATE INDEX employees_name_th_idx ON public.employees (id)",
    "CREATE TABLE public.positions (id int, code text, title_th text)",
    "INSERT INTO public.positions VALUES (1, 'DECOY', '')",
    "CREATE VIEW public.current_staff AS SELECT 1 AS one",
    "CREATE FUNCTION public.leave_within_employment() RETURNS int LANGUAGE sql AS 'SELECT 1'",
)
OTHERS = ("public", "inventory", "finance")


@pytest.fixture
def with_decoys(migrated_database: str) -> None:
    for decoy in DECOYS:
        execute(decoy)


def test_zero_and_back_gives_the_same_catalog(with_decoys: None, call: Any) -> None:
    left = ["django_migrations_hr", "django_migrations_hr_journal"]
    assert_zero_and_back_gives_the_same_catalog(call, "hr", left=left, others=OTHERS)


def test_thai_titles_are_filled_and_emptied_again(with_decoys: None, call: Any) -> None:
    number = 2500  # Two whole batches, and a part of one.
    assert_filled_and_emptied_again(
        call,
        "hr",
        between=("0003", "0004"),
        table="hr.positions",
        columns=("title_en", "title_th"),
        rows=[
            "(code, title_en, title_th, is_active)"
            f" SELECT 'P' || n, 'Title ' || n, '', true FROM generate_series(1, {number}) AS n",
            "(code, title_en, title_th, is_active) VALUES ('RN', 'Nurse', 'พยาบาล', true)",
        ],
        number=number,
        kept=("RN", "พยาบาล"),
    )
    assert query("SELECT title_th FROM public.positions") == [("",)]
