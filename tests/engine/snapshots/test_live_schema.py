"""Restoring a snapshot's statements."""

from __future__ import annotations

import pytest
from django.db import connections, transaction

from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from domain_migrations.engine.snapshots import live_schema
from domain_migrations.engine.snapshots.live_schema import batches, restore
from domain_migrations.engine.snapshots.snapshot_file import join_statements
from tests.support.catalog import execute, query

BACKSLASHES = (
    "CREATE TABLE lab.t (a text DEFAULT 'a\\b' CHECK (a <> '\\x'), b text);",
    "COMMENT ON TABLE lab.t IS 'c:\\new';",
    "INSERT INTO lab.t (a, b) VALUES ('\\', 'it''s \\n');",
    "INSERT INTO lab.t (b) VALUES ('\\''; --');",
)
ROWS = [("\\", "it's \\n"), ("a\\b", "\\'; --")]


def restored() -> str:
    """Restore them into a new schema; its fingerprint."""
    execute("CREATE SCHEMA lab")
    with transaction.atomic():
        restore(connections["default"], join_statements(BACKSLASHES))
    assert sorted(query("SELECT a, b FROM lab.t")) == sorted(ROWS)
    text = fingerprint(connections["default"], "lab")
    execute("DROP SCHEMA lab CASCADE")
    return text


def test_backslashes_do_not_depend_on_the_session(scratch_database: str) -> None:
    expected = restored()
    assert "default 'a\\b'" in expected
    execute("SET standard_conforming_strings = off")
    assert compare(expected, restored()) == []
    assert query("SHOW standard_conforming_strings") == [("off",)]


def test_many_statements_go_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_schema, "BATCH_CHARACTERS", 14)
    long = "SELECT ';\n\n is no end';"
    assert list(batches("\n")) == ["\n"]
    assert list(batches("a;\n\nb;\n")) == ["a;\n\nb;\n"]
    assert list(batches(join_statements(["a;", "bbbb;", "ccccccccc;", long, "d;"]))) == [
        "a;\n\nbbbb;\n",
        "ccccccccc;\n",
        f"{long}\n",
        "d;\n",
    ]


def test_a_snapshot_of_several_messages(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = restored()
    monkeypatch.setattr(live_schema, "BATCH_CHARACTERS", 100)
    assert len(list(batches(join_statements(BACKSLASHES)))) > 2
    assert compare(expected, restored()) == []
