"""Django's recorder, replaced by name."""

from __future__ import annotations

import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path

import django
import pytest
from django.db import connections
from django.db.migrations import recorder as django_recorder

from domain_migrations.domains import get_domain
from domain_migrations.engine.history import recorder
from domain_migrations.engine.history.recorder import (
    IMPORTERS,
    DomainRecorder,
    limit_reads_to,
    patch_django,
)
from tests.support.catalog import execute, history, query, schemas

DJANGO = Path(django.__file__).parent


def test_importers_are_all_modules_of_django_that_name_the_recorder() -> None:
    """Fails on a Django that names it elsewhere: then IMPORTERS has to follow."""
    statement = re.compile(r"^from \S*recorder import .*MigrationRecorder", re.MULTILINE)
    found = {
        ".".join(("django", *path.relative_to(DJANGO).with_suffix("").parts))
        for path in DJANGO.rglob("*.py")
        if statement.search(path.read_text())
    }
    assert found == set(IMPORTERS)


@pytest.mark.parametrize("module", IMPORTERS)
def test_importer_uses_ours(module: str) -> None:
    assert import_module(module).MigrationRecorder is DomainRecorder
    assert django_recorder.MigrationRecorder is DomainRecorder


def test_install_again_changes_nothing() -> None:
    patch_django()
    assert django_recorder.MigrationRecorder is DomainRecorder
    assert recorder.MigrationRecorder is not DomainRecorder
    assert all(name in sys.modules for name in IMPORTERS)


def test_public_methods_are_those_of_django() -> None:
    """A method that Django adds would write to the wrong table."""
    ours = {name for name in vars(DomainRecorder) if not name.startswith("_")}
    theirs = {name for name in vars(recorder.MigrationRecorder) if not name.startswith("_")}
    assert ours - {"record_all_applied"} | {"Migration", "migration_qs"} == theirs


def test_django_has_no_second_recorder() -> None:
    names = {module.name for module in pkgutil.iter_modules([str(DJANGO / "db" / "migrations")])}
    assert "recorder" in names


def test_rows_go_to_the_owner(scratch_database: str) -> None:
    execute("CREATE SCHEMA hr")
    execute("CREATE TABLE public.django_migrations_hr (id int, app text, name text, applied date)")
    ours = DomainRecorder(connections["default"])
    ours.record_applied("hr", "0001_initial")
    ours.record_applied("auth", "0001_initial")
    assert history("hr.django_migrations_hr") == [("hr", "0001_initial")]
    assert history("public.django_migrations") == [("auth", "0001_initial")]
    assert history("public.django_migrations_hr") == []
    assert set(ours.applied_migrations()) == {("hr", "0001_initial"), ("auth", "0001_initial")}
    ours.record_unapplied("hr", "0001_initial")
    assert history("hr.django_migrations_hr") == []


def test_several_rows_go_to_their_owners(scratch_database: str) -> None:
    execute("CREATE SCHEMA hr")
    execute("CREATE TABLE public.django_migrations_hr (id int, app text, name text, applied date)")
    ours = DomainRecorder(connections["default"])
    names = ["0002_b", "0001_a", "0003_c"]
    ours.record_all_applied([("hr", names[0]), ("auth", "0001_initial"), ("hr", names[1])])
    ours.record_all_applied([("hr", names[2])])
    ours.record_all_applied([])
    assert history("hr.django_migrations_hr") == [("hr", name) for name in names]
    assert history("public.django_migrations") == [("auth", "0001_initial")]
    assert history("public.django_migrations_hr") == []


def test_reading_only_some_histories(migrated_database: str) -> None:
    ours = DomainRecorder(connections["default"])
    everything = ours.applied_migrations()
    with limit_reads_to([get_domain("core"), get_domain("hr")]):
        found = set(ours.applied_migrations())
    assert {label for label, _ in found} > {"auth", "hr"}
    assert found == {key for key in everything if key[0] not in ("inventory", "finance")}
    assert set(ours.applied_migrations()) == set(everything)


def test_history_has_the_columns_of_django(scratch_database: str) -> None:
    ours = DomainRecorder(connections["default"])
    ours.record_applied("hr", "0001_initial")
    with connections["default"].schema_editor() as editor:
        editor.create_model(recorder.MigrationRecorder.Migration)
    statement = (
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity"
        " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"
    )
    table = get_domain("hr").history_table
    assert query(statement, str(table)) == query(statement, "public.django_migrations")


def test_reading_creates_nothing(scratch_database: str) -> None:
    ours = DomainRecorder(connections["default"])
    assert ours.applied_migrations() == {}
    assert not ours.has_table()
    assert schemas() == ["public"]


def test_row_of_a_domain_in_the_table_of_core_does_not_count(migrated_database: str) -> None:
    execute(
        "INSERT INTO public.django_migrations (app, name, applied) VALUES ('hr', '0099_x', now())"
    )
    assert ("hr", "0099_x") not in DomainRecorder(connections["default"]).applied_migrations()


def test_search_path_does_not_choose_the_history(migrated_database: str) -> None:
    ours = DomainRecorder(connections["default"])
    expected = set(ours.applied_migrations())
    execute("SET search_path = hr, public")
    assert set(DomainRecorder(connections["default"]).applied_migrations()) == expected
