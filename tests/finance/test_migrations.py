"""The history of finance: to zero and back, and what its data migrations do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from domain_migrations.catalog.fingerprint import compare, fingerprint

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


@pytest.fixture(autouse=True)
def replayed(settings: Any) -> None:
    """The migrations are tested here, not the snapshot."""
    settings.DOMAIN_MIGRATIONS = {**settings.DOMAIN_MIGRATIONS, "SNAPSHOTS": False}


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


def migrate(call, *target):
    result = call("migrate_domain", "finance", *target)
    assert result.exit_status == 0, result.stderr


def test_zero_and_back_gives_the_same_catalog(migrated_database, call):
    execute(*DECOYS)
    before = fingerprint(connection, "finance")
    others = {schema: fingerprint(connection, schema) for schema in OTHERS}
    migrate(call, "zero")
    tables = execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'finance'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1"
    )
    assert tables == [("django_migrations_finance",), ("django_migrations_finance_journal",)]
    for schema, was in others.items():
        assert compare(was, fingerprint(connection, schema)) == []
    migrate(call)
    assert compare(before, fingerprint(connection, "finance")) == []
    for schema, was in others.items():
        assert compare(was, fingerprint(connection, schema)) == []


@pytest.mark.parametrize("rows", [3, 2500])
def test_thai_names_are_filled_and_emptied_again(migrated_database, call, rows):
    execute(*DECOYS)
    migrate(call, "0003")
    execute(
        'INSERT INTO "finance"."accounts" (code, name_en, name_th, kind, is_active)'
        f" SELECT 5000 + n, 'Account ' || n, '', 'expense', true FROM generate_series(1, {rows}) n",
        'INSERT INTO "finance"."accounts" (code, name_en, name_th, kind, is_active)'
        " VALUES ('1101', 'Cash', 'เงินสด', 'asset', true)",
    )
    migrate(call, "0004")
    filled = 'SELECT count(*) FROM "finance"."accounts" WHERE name_th = name_en'
    assert execute(filled) == [(rows,)]
    cash = 'SELECT name_th FROM "finance"."accounts" WHERE code = \'1101\''
    assert execute(cash) == [("เงินสด",)]
    assert execute("SELECT name_th FROM public.accounts") == [("",)]
    migrate(call)
    migrate(call, "0003")
    assert execute('SELECT count(*) FROM "finance"."accounts" WHERE name_th = \'\'') == [(rows,)]
    assert execute(cash) == [("เงินสด",)]
