"""The layout of the engine's tables: older ones are upgraded, newer ones refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from domain_migrations.domains import get_domain
from domain_migrations.engine.history import layouts
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.layouts import MARK, layout_of
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.engine.history.seed_ledger import ensure_ledger
from tests.support.catalog import execute, query
from tests.support.commands import Result

Call = Callable[..., Result]
LEDGERS = ("django_migrations_finance_journal", "django_seeds_finance", "django_seeds_finance_rows")
COMMENT = "SELECT obj_description('finance.{}'::regclass, 'pg_class')"
UPGRADES: dict[int, dict[str, list[str]]] = {
    2: {"journal": ["ALTER TABLE {table} ADD COLUMN pool text"]},
    3: {
        "journal": ["ALTER TABLE {table} RENAME COLUMN pool TO pooler"],
        "seeds": ["ALTER TABLE {table} ADD COLUMN pooler text"],
    },
}
COLUMNS = """
SELECT attrelid::regclass::text FROM pg_attribute WHERE attname IN ('pool', 'pooler')
ORDER BY 1
"""
DECOY = "CREATE TABLE public.django_migrations_finance_journal (pool text)"


@pytest.mark.parametrize(
    ("comment", "layout"),
    [
        (None, 1),
        ("Kept by the platform team.", 1),
        ("domain_migrations layout 2", 2),
        ("domain_migrations layout 12; do not edit", 12),
        ("domain_migrations layout two", 1),
        ("domain_migrations layout 99999999999999999999", 1),
    ],
)
def test_a_comment_that_names_no_layout_is_the_first(comment: str | None, layout: int) -> None:
    assert layout_of(comment) == layout


@pytest.fixture
def newer_table(migrated_database: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A table that a newer version has upgraded."""
    ensure_ledger(connection, get_domain("finance"))
    table = f"finance.{request.param}"
    execute(f"COMMENT ON TABLE {table} IS '{MARK}7'")
    yield table
    execute(f"COMMENT ON TABLE {table} IS NULL")


@pytest.mark.parametrize("newer_table", [LEDGERS[0]], indirect=True)
@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate_domain", "finance"),
        ("migrate_domain", "finance", "--check"),
        ("migrate_domain", "finance", "--plan"),
        ("migrate_domain", "finance", "0010"),
        ("migrate", "finance"),
        ("seed_domain", "finance"),
        ("show_domains",),
        ("verify_domain", "finance"),
        ("repair_domain", "finance", "--prune", "--noinput"),
    ],
)
def test_a_newer_journal_is_refused_by_each_command(
    newer_table: str, call: Call, arguments: tuple[str, ...]
) -> None:
    before = query(f"SELECT count(*) FROM {newer_table}")
    result = call(*arguments)
    assert (result.exit_status, "Traceback" in result.stderr) == (1, False)
    assert f"{newer_table} has the layout 7 of a newer version of domain_migrations" in (
        result.stdout + result.stderr
    )
    assert query(f"SELECT count(*) FROM {newer_table}") == before


@pytest.mark.parametrize("newer_table", LEDGERS[1:], indirect=True)
def test_newer_tables_of_seeds_are_refused(newer_table: str, call: Call) -> None:
    result = call("seed_domain", "finance")
    assert result.exit_status == 1
    assert f"{newer_table} has the layout 7" in result.stderr
    assert call("migrate_domain", "finance", "--check").exit_status == 0


def test_older_tables_are_upgraded_by_the_run_that_writes_to_them(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("seed_domain", "finance").exit_status == 0
    execute(DECOY)
    monkeypatch.setattr(layouts, "LAYOUT", 3)
    monkeypatch.setattr(layouts, "UPGRADES", UPGRADES)
    assert call("migrate_domain", "finance", "--check").exit_status == 0
    assert query(COLUMNS) == [("django_migrations_finance_journal",)]
    assert call("migrate_domain", "finance", "0010").exit_status == 0
    assert query(COMMENT.format(LEDGERS[0])) == [(f"{MARK}3",)]
    assert call("migrate_domain", "finance").exit_status == 0
    assert call("seed_domain", "finance", "--force").exit_status == 0
    assert query(COLUMNS) == [
        ("django_migrations_finance_journal",),
        (f"finance.{LEDGERS[0]}",),
        (f"finance.{LEDGERS[1]}",),
    ]
    assert [query(COMMENT.format(name)) for name in LEDGERS] == [[(f"{MARK}3",)]] * 3


def test_an_upgrade_that_fails_leaves_the_table_as_it_was(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: dict[int, Any] = {
        2: {"journal": ["ALTER TABLE {table} ADD COLUMN pool text", "SELECT 1 / 0"]}
    }
    monkeypatch.setattr(layouts, "LAYOUT", 2)
    monkeypatch.setattr(layouts, "UPGRADES", broken)
    result = call("migrate_domain", "finance", "0010")
    assert (result.exit_status, "Traceback" in result.stderr) == (1, False)
    assert query(COLUMNS) == []
    assert query(COMMENT.format(LEDGERS[0])) == [(None,)]


def test_new_tables_say_which_layout_they_have(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "LAYOUT", 3)
    monkeypatch.setattr(layouts, "UPGRADES", UPGRADES)
    Journal(connection, get_domain("finance"), RunContext()).open()
    assert query(COMMENT.format(LEDGERS[0])) == [(f"{MARK}3",)]
    assert query(COLUMNS) == []
