"""The history of the main system: to zero and back, and what its data migration does."""

from __future__ import annotations

import pytest
from django.db import connection

from domain_migrations.catalog.fingerprint import compare, fingerprint

DECOY = 'CREATE TABLE "other"."cost_centres" (code text CONSTRAINT cost_centres_code_key UNIQUE)'


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


def migrate(call, *target):
    result = call("migrate_domain", "core", *target)
    assert result.exit_status == 0, result.stderr


def test_zero_and_back_gives_the_same_catalog(scratch_database, call):
    execute('CREATE SCHEMA "other"', DECOY)
    other = fingerprint(connection, "other")
    migrate(call)
    before = fingerprint(connection, "public")
    migrate(call, "zero")
    tables = execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1"
    )
    assert tables == [("django_migrations",), ("django_migrations_core_journal",)]
    migrate(call)
    assert compare(before, fingerprint(connection, "public")) == []
    assert compare(other, fingerprint(connection, "other")) == []


@pytest.mark.parametrize("rows", [3, 2500])
def test_thai_names_are_filled_and_emptied_again(scratch_database, call, rows):
    execute('CREATE SCHEMA "other"', DECOY, "INSERT INTO other.cost_centres VALUES ('DECOY')")
    migrate(call, "core.0002")
    execute(
        "INSERT INTO public.cost_centres (code, name_en, name_th, is_active)"
        f" SELECT 'C' || n, 'Centre ' || n, '', true FROM generate_series(1, {rows}) AS n",
        "INSERT INTO public.cost_centres (code, name_en, name_th, is_active)"
        " VALUES ('PHARM', 'Pharmacy', 'เภสัชกรรม', true)",
    )
    migrate(call, "core.0003")
    filled = "SELECT count(*) FROM public.cost_centres WHERE name_th = name_en"
    assert execute(filled) == [(rows,)]
    pharmacy = "SELECT name_th FROM public.cost_centres WHERE code = 'PHARM'"
    assert execute(pharmacy) == [("เภสัชกรรม",)]
    migrate(call)
    migrate(call, "core.0002")
    emptied = "SELECT count(*) FROM public.cost_centres WHERE name_th = ''"
    assert execute(emptied) == [(rows,)]
    assert execute(pharmacy) == [("เภสัชกรรม",)]
