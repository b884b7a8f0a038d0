"""Indexes built concurrently, and the invalid ones that failed builds leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections

from domain_migrations.engine.sessions.concurrent_indexes import (
    BuiltIndex,
    build_index,
    built_index,
    find_dead_index,
    is_concurrent,
)
from tests.support.sessions import execute, in_thread, indexes, other_session, until

DRUGS_NAME = BuiltIndex("drugs_name", "inventory.drugs")
BUILD = "CREATE UNIQUE INDEX CONCURRENTLY drugs_name ON {}.drugs (name)"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY a ON b (c)",
        "  create unique index concurrently if not exists a on b (c)",
        "-- why\nCREATE /* x */ INDEX\n CONCURRENTLY a ON b (c)",
        'DROP INDEX CONCURRENTLY IF EXISTS "s"."a"',
        "REINDEX (VERBOSE) TABLE CONCURRENTLY a",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY a",
        "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
    ],
)
def test_is_concurrent(statement: str) -> None:
    assert is_concurrent(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX a ON b (c)",
        "INSERT INTO a VALUES ('CREATE INDEX CONCURRENTLY a ON b (c)')",
        "CREATE TABLE concurrently (a int)",
        "",
    ],
)
def test_is_concurrent__not(statement: str) -> None:
    assert not is_concurrent(statement)
    assert built_index(statement) is None


@pytest.mark.parametrize(
    ("statement", "built"),
    [
        ("CREATE INDEX CONCURRENTLY a ON b (c)", ("a", "b")),
        (
            "create unique index concurrently if not exists a on only s.b using gin (c)",
            ("a", "s.b"),
        ),
        ('CREATE INDEX CONCURRENTLY "a""x" ON "s"."b" (c)', ('"a""x"', '"s"."b"')),
        ("CREATE INDEX CONCURRENTLY -- why\n ยา ON คลัง.ยา (c)", ("ยา", "คลัง.ยา")),
    ],
)
def test_index_built_by(statement: str, built: tuple[str, str]) -> None:
    assert built_index(statement) == built


def test_index_built_by__without_a_name() -> None:
    assert built_index("CREATE INDEX CONCURRENTLY ON b (c)") is None


def leave_dead_index(schema: str) -> None:
    with pytest.raises(IntegrityError):
        execute(BUILD.format(schema))
    assert indexes(schema) == [("drugs_name", False)]


def build_drugs_name(messages: list[str], run: Callable[[], Any]) -> Any:
    return build_index(connections["default"], DRUGS_NAME, run, messages.append)


@pytest.mark.usefixtures("drugs")
def test_build_index__failing_twice_leaves_nothing() -> None:
    leave_dead_index("public")
    messages: list[str] = []
    with pytest.raises(IntegrityError):
        build_drugs_name(messages, lambda: execute(BUILD.format("inventory")))
    assert indexes() == []
    assert indexes("public") == [("drugs_name", False)]
    duplicate = 'could not create unique index "drugs_name"'
    assert messages == [
        f"Dropped the invalid index inventory.drugs_name: building it failed: {duplicate}.",
        f"Dropped the invalid index inventory.drugs_name: building it failed again: {duplicate}.",
    ]


@pytest.mark.usefixtures("drugs")
def test_build_index__second_attempt_works() -> None:
    attempts = []

    def build() -> None:
        attempts.append(1)
        if len(attempts) == 2:
            execute("DELETE FROM inventory.drugs WHERE id = 2")
        execute(BUILD.format("inventory"))

    build_drugs_name([], build)
    assert len(attempts) == 2
    assert indexes() == [("drugs_name", True)]


@pytest.mark.usefixtures("drugs")
def test_build_index__after_an_earlier_run() -> None:
    leave_dead_index("inventory")
    leave_dead_index("public")
    execute("DELETE FROM inventory.drugs WHERE id = 2")
    messages: list[str] = []
    statement = BUILD.format("inventory").replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS")
    build_drugs_name(messages, lambda: execute(statement))
    assert indexes() == [("drugs_name", True)]
    assert indexes("public") == [("drugs_name", False)]
    assert messages == ["Dropped the invalid index inventory.drugs_name: an earlier run left it."]


@pytest.mark.usefixtures("drugs")
def test_build_index__keeps_a_valid_index() -> None:
    execute("CREATE INDEX drugs_name ON inventory.drugs (name)")
    messages: list[str] = []
    with pytest.raises(DatabaseError, match="already exists"):
        build_drugs_name(messages, lambda: execute(BUILD.format("inventory")))
    assert indexes() == [("drugs_name", True)]
    assert messages == []


@pytest.mark.usefixtures("drugs")
def test_build_index__keeps_an_invalid_index_of_another_name() -> None:
    leave_dead_index("inventory")
    execute("ALTER INDEX inventory.drugs_name RENAME TO other_name")
    with pytest.raises(IntegrityError):
        build_drugs_name([], lambda: execute(BUILD.format("inventory")))
    assert indexes() == [("other_name", False)]


@pytest.mark.usefixtures("drugs")
def test_build_index__lost_connection() -> None:
    def build() -> None:
        connection.connection.close()
        execute(BUILD.format("inventory"))

    with pytest.raises(DatabaseError, match="connection is closed"):
        build_drugs_name([], build)
    connection.close()


@pytest.mark.usefixtures("drugs")
def test_find_dead_index__another_session_is_building_it(
    postgres_server: Any, scratch_database: str
) -> None:
    write = "UPDATE inventory.drugs SET name = id::text"
    with (
        other_session(postgres_server, scratch_database, write) as (writer, _),
        postgres_server.connect(scratch_database) as session,
    ):
        thread = in_thread(lambda: session.execute(BUILD.format("inventory")))
        until(indexes)
        assert indexes() == [("drugs_name", False)]
        assert find_dead_index(connections["default"], DRUGS_NAME) is None
        writer.commit()
        thread.join()
    assert indexes() == [("drugs_name", True)]
    assert find_dead_index(connections["default"], DRUGS_NAME) is None
