"""The state of a domain that moves to another server, in the journal."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.db import connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.history.extractions import (
    Extraction,
    database_id,
    read_extraction,
    record_extraction,
    refuse_during_extraction,
)
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.journal_queries import read_entries
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.exceptions import ChangedTable, ExtractionInProgress
from tests.support.catalog import execute
from tests.support.commands import Result

JOURNAL = "finance.django_migrations_finance_journal"


def record(phase: str, source_id: str = "other/server") -> Extraction:
    state = Extraction(
        phase=phase,  # type: ignore[arg-type]
        source="default",
        target="books",
        name="extract_finance_00000000",
        source_id=source_id,
        triggers=(("invoices", "total", "A"),),
        details={"subscription": "17"},
    )
    record_extraction(Journal(connections["default"], get_domain("finance"), RunContext()), state)
    return state


def read() -> Extraction | None:
    return read_extraction(connections["default"], get_domain("finance"))


def refuse() -> None:
    refuse_during_extraction(connections["default"], get_domain("finance"))


def test_the_latest_row_is_the_state(migrated_database: str) -> None:
    assert read() is None
    refuse()
    entries = read_entries(connections["default"], get_domain("finance"))
    record("copying")
    later = record("switching")
    assert read() == later
    assert read_entries(connections["default"], get_domain("finance")) == entries
    assert read_extraction(connections["default"], get_domain("hr")) is None


def edit(name: str, details: str) -> None:
    record("copying")
    execute(
        f"UPDATE {JOURNAL} SET name = '{name}', details = '{details}' WHERE direction = 'extract'"
    )


def test_rows_of_something_else_are_no_state(migrated_database: str) -> None:
    edit("unheard of", "{}")
    assert read() is None


@pytest.mark.parametrize("details", ["[]", '{"target": 7}'])
def test_a_row_whose_details_were_changed_is_refused(migrated_database: str, details: str) -> None:
    edit("copying", details)
    with pytest.raises(ChangedTable, match="its details were changed"):
        read()


def test_a_moving_domain_is_not_migrated(
    migrated_database: str, call: Callable[..., Result]
) -> None:
    assert call("migrate_domain", "finance", "0011").exit_status == 0
    record("copying")
    refused = call("migrate_domain", "finance", "--format", "json")
    assert refused.exit_status == 1
    error = json.loads(refused.stdout)["domains"][0]["error"]
    assert error["code"] == "extraction"
    assert error["message"] == (
        'The schema of the domain "finance" cannot change while the domain moves from "default" to'
        ' "books" (now copying).'
    )
    assert call("migrate_domain", "hr").exit_status == 0
    record("aborted")
    assert call("migrate_domain", "finance").exit_status == 0


def test_a_domain_that_has_left_is_refused_only_where_it_was(migrated_database: str) -> None:
    record("finished")
    refuse()
    record("finished", database_id(connections["default"]))
    with pytest.raises(ExtractionInProgress) as refused:
        refuse()
    assert refused.value.message == ('The domain "finance" has left this database for "books".')
    assert refused.value.hint == (
        'Set DOMAIN_MIGRATIONS["DATABASES"] to {"finance": "books"}, and omit --database.'
    )
