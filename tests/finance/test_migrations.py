"""The migrations of finance: to zero and back, and the data migration."""

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
    "CREATE TABLE public.accounts (id int CONSTRAINT accounts_code_key PRIMARY KEY,"
    " name_en text, name_th text)",
    "INSERT INTO public.accounts VALUES (1, 'Decoy', '')",
    "CREATE TABLE public.journal_lines (id int)",
    "CREATE INDEX journal_lines_account_idx ON public.journal_lines (id)",
    "CREATE TABLE public.invoices (id int)",
    "CREATE UNIQUE INDEX invoices_supplier_reference_key ON public.invoices (id)",
    "CREATE VIEW public.trial_balance AS SELECT 1 AS one",
    "CREATE FUNCTION public.journal_must_balance() RETURNS int LANGUAGE sql AS 'SELECT 1'",
)
OTHERS = ("public", "inventory", "hr")


@pytest.fixture
def with_decoys(migrated_database: str) -> None:
    for decoy in DECOYS:
        execute(decoy)


def test_zero_and_back_gives_the_same_catalog(with_decoys: None, call: Any) -> None:
    left = ["django_migrations_finance", "django_migrations_finance_journal"]
    assert_zero_and_back_gives_the_same_catalog(call, "finance", left=left, others=OTHERS)


def test_thai_names_are_filled_and_emptied_again(with_decoys: None, call: Any) -> None:
    number = 2500  # Two whole batches, and a part of one.
    assert_filled_and_emptied_again(
        call,
        "finance",
        between=("0003", "0004"),
        table="finance.accounts",
        columns=("name_en", "name_th"),
        rows=[
            "(code, name_en, name_th, kind, is_active) SELECT 5000 + n, 'Account ' || n, '',"
            f" 'expense', true FROM generate_series(1, {number}) AS n",
            "(code, name_en, name_th, kind, is_active)"
            " VALUES ('1101', 'Cash', 'เงินสด', 'asset', true)",
        ],
        number=number,
        kept=("1101", "เงินสด"),
    )
    assert query("SELECT name_th FROM public.accounts") == [("",)]
