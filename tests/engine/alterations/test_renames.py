"""Renames are found only where the catalogs leave no other explanation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from domain_migrations.engine.alterations.changes import schema_changes
from domain_migrations.engine.alterations.definition import SchemaDefinition
from domain_migrations.engine.alterations.renames import certain_renames, follow_renames
from domain_migrations.engine.catalog.fingerprint import compare
from tests.engine.alterations.test_changes import run
from tests.support.catalog import execute, query

SCHEMA = """
CREATE SCHEMA depot;
CREATE TYPE depot.state AS ENUM ('new', 'old');
CREATE TYPE depot.free AS ENUM ('a', 'b');
CREATE DOMAIN depot.code AS text CHECK (VALUE <> '');
CREATE SEQUENCE depot.numbers;
CREATE SEQUENCE depot.unused;
CREATE TABLE depot.items (id serial PRIMARY KEY, a int, b int, "C {x}" text, s depot.state,
    n int DEFAULT nextval('depot.numbers'), code depot.code, z int);
CREATE TABLE depot.bare (a int, b int);
CREATE TABLE depot.heir (own int) INHERITS (depot.bare);
CREATE VIEW depot.all_items AS SELECT id, s FROM depot.items;
INSERT INTO depot.items (a) VALUES (1);
CREATE SCHEMA other;
CREATE TABLE other.items (LIKE depot.items);
"""
CERTAIN = {
    "ALTER TABLE depot.items RENAME COLUMN a TO x": ["column depot.items.a: renamed to x"],
    "ALTER TABLE depot.items RENAME COLUMN z TO x; ALTER TABLE depot.items ADD y int": [
        "column depot.items.z: renamed to x"
    ],
    "ALTER TABLE depot.items RENAME COLUMN a TO x; ALTER TABLE depot.items RENAME COLUMN b TO y": [
        "column depot.items.a: renamed to x",
        "column depot.items.b: renamed to y",
    ],
    'ALTER TABLE depot.items RENAME COLUMN "C {x}" TO "D.""{}"': [
        'column depot.items."C {x}": renamed to "D.""{}"'
    ],
    "ALTER TABLE depot.items DROP COLUMN b; ALTER TABLE depot.items RENAME COLUMN a TO x": [
        "column depot.items.a: renamed to x"
    ],
    "ALTER TABLE depot.bare RENAME COLUMN a TO x": ["column depot.bare.a: renamed to x"],
    'ALTER TABLE depot.items RENAME TO "Things"': ['table depot.items: renamed to "Things"'],
    "ALTER TABLE depot.items RENAME TO things; ALTER TABLE depot.things RENAME a TO x;"
    " ALTER TABLE depot.things ADD y int": [
        "table depot.items: renamed to things",
        "column depot.things.a: renamed to x",
    ],
    "ALTER TYPE depot.state RENAME VALUE 'old' TO 'it''s'": [
        "label 'old' of the type depot.state: renamed to 'it''s'"
    ],
    "ALTER TYPE depot.state RENAME TO mood; ALTER TYPE depot.mood RENAME VALUE 'new' TO 'x'": [
        "type depot.state: renamed to mood",
        "label 'new' of the type depot.mood: renamed to 'x'",
    ],
    "ALTER DOMAIN depot.code RENAME TO sku": ["type depot.code: renamed to sku"],
    "ALTER SEQUENCE depot.numbers RENAME TO counter": [
        "sequence depot.numbers: renamed to counter"
    ],
}
UNCERTAIN = [
    "ALTER TABLE depot.items DROP COLUMN z; ALTER TABLE depot.items ADD x int",
    "ALTER TABLE depot.items DROP COLUMN b; ALTER TABLE depot.items ADD x int",
    "ALTER TABLE depot.items RENAME COLUMN a TO x; ALTER TABLE depot.items ALTER x TYPE text",
    # A name that is free again says nothing.
    "ALTER TABLE depot.bare RENAME TO nude",
    "DROP TABLE depot.items CASCADE; CREATE TABLE depot.things (id serial PRIMARY KEY, a int,"
    " b int, \"C {x}\" text, s depot.state, n int DEFAULT nextval('depot.numbers'),"
    " code depot.code, z int)",
    "ALTER SEQUENCE depot.unused RENAME TO idle",
    "ALTER TYPE depot.free RENAME TO loose",
    "DROP TYPE depot.free; CREATE TYPE depot.free AS ENUM ('c', 'd')",
    "DROP TYPE depot.free; CREATE TYPE depot.free AS ENUM ('b', 'a')",
    "DROP TYPE depot.free; CREATE TYPE depot.free AS ENUM ('b', 'c')",
    # The heir that is no longer one keeps the name.
    "ALTER TABLE depot.heir NO INHERIT depot.bare; ALTER TABLE depot.bare RENAME COLUMN a TO x",
    "CREATE TABLE depot.more (LIKE depot.items INCLUDING ALL)",
]


@pytest.fixture(scope="module", autouse=True)
def depot(module_database: str) -> None:
    execute(SCHEMA)


@pytest.fixture(autouse=True)
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read() -> SchemaDefinition:
    return SchemaDefinition.read(connection, "depot", include_names=True)


@pytest.mark.parametrize("change", CERTAIN)
def test_what_was_renamed_is_followed(change: str) -> None:
    before = read()
    with transaction.atomic():
        execute(change)
        after, rows = read(), query("SELECT count(*) FROM pg_class WHERE relname = 'items'")
        transaction.set_rollback(True)
    decoy = SchemaDefinition.read(connection, "other").as_fingerprint()

    followed, renames = follow_renames(connection, before, after, read)

    assert [rename.sentence for rename in renames] == CERTAIN[change]
    assert query("SELECT count(*) FROM pg_class WHERE relname = 'items'") == rows
    run(schema_changes(followed, after))
    assert compare(after.as_fingerprint(), read().as_fingerprint()) == []
    run(schema_changes(read(), followed))
    for rename in reversed(renames):
        execute(rename.backwards)
    assert compare(before.as_fingerprint(), read().as_fingerprint()) == []
    assert SchemaDefinition.read(connection, "other").as_fingerprint() == decoy


@pytest.mark.parametrize("change", UNCERTAIN)
def test_nothing_is_guessed(change: str) -> None:
    before = read()
    execute(change)
    assert certain_renames(before, read()) == []


def test_a_domain_gets_not_null_without_a_statement_about_a_table() -> None:
    """From 18 on its constraint has a row of its own in the catalog, as that of a column has."""
    execute("UPDATE depot.items SET code = 'x'")
    before = read()
    with transaction.atomic():
        execute("ALTER DOMAIN depot.code SET NOT NULL")
        after = read()
        transaction.set_rollback(True)

    run(schema_changes(before, after))

    assert compare(after.as_fingerprint(), read().as_fingerprint()) == []
    run(schema_changes(after, before))
    assert compare(before.as_fingerprint(), read().as_fingerprint()) == []


def test_a_name_that_is_taken_is_not_followed() -> None:
    execute("CREATE VIEW depot.things AS SELECT 1 AS n")
    before = read()
    with transaction.atomic():
        execute("DROP VIEW depot.things; ALTER TABLE depot.items RENAME TO things")
        after = read()
        transaction.set_rollback(True)
    assert len(certain_renames(before, after)) == 1
    followed, renames = follow_renames(connection, before, after, read)
    assert renames == []
    assert followed.as_fingerprint() == before.as_fingerprint()
