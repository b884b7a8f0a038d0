"""The history of human resources: to zero and back, and what its data migrations do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from domain_migrations.catalog.fingerprint import compare, fingerprint

DECOYS = (
    "CREATE TABLE public.employees (id int CONSTRAINT employees_number_key PRIMARY KEY)",
    "CREATE INDEX employees_name_th_idx ON public.employees (id)",
    "CREATE TABLE public.positions (id int, code text, title_th text)",
    "INSERT INTO public.positions VALUES (1, 'DECOY', '')",
    "CREATE VIEW public.current_staff AS SELECT 1 AS one",
    "CREATE FUNCTION public.leave_within_employment() RETURNS int LANGUAGE sql AS 'SELECT 1'",
)
OTHERS = ("public", "inventory", "finance")


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
    result = call("migrate_domain", "hr", *target)
    assert result.exit_status == 0, result.stderr


def test_zero_and_back_gives_the_same_catalog(migrated_database, call):
    execute(*DECOYS)
    before = fingerprint(connection, "hr")
    others = {schema: fingerprint(connection, schema) for schema in OTHERS}
    migrate(call, "zero")
    tables = execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'hr'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1"
    )
    assert tables == [("django_migrations_hr",), ("django_migrations_hr_journal",)]
    for schema, was in others.items():
        assert compare(was, fingerprint(connection, schema)) == []
    migrate(call)
    assert compare(before, fingerprint(connection, "hr")) == []
    for schema, was in others.items():
        assert compare(was, fingerprint(connection, schema)) == []


@pytest.mark.parametrize("rows", [3, 2500])
def test_thai_titles_are_filled_and_emptied_again(migrated_database, call, rows):
    execute(*DECOYS)
    migrate(call, "0003")
    execute(
        'INSERT INTO "hr"."positions" (code, title_en, title_th, is_active)'
        f" SELECT 'P' || n, 'Title ' || n, '', true FROM generate_series(1, {rows}) AS n",
        'INSERT INTO "hr"."positions" (code, title_en, title_th, is_active)'
        " VALUES ('RN', 'Nurse', 'พยาบาล', true)",
    )
    migrate(call, "0004")
    filled = 'SELECT count(*) FROM "hr"."positions" WHERE title_th = title_en'
    assert execute(filled) == [(rows,)]
    assert execute('SELECT title_th FROM "hr"."positions" WHERE code = \'RN\'') == [("พยาบาล",)]
    assert execute("SELECT title_th FROM public.positions") == [("",)]
    migrate(call)
    migrate(call, "0003")
    emptied = 'SELECT count(*) FROM "hr"."positions" WHERE title_th = \'\''
    assert execute(emptied) == [(rows,)]
    assert execute('SELECT title_th FROM "hr"."positions" WHERE code = \'RN\'') == [("พยาบาล",)]
