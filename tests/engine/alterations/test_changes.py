"""Changes turn one schema into another: every kind of object, in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import Error, connection, transaction

from domain_migrations.engine.alterations import definition
from domain_migrations.engine.alterations.changes import Change, schema_changes
from domain_migrations.engine.alterations.column_steps import alter_column
from domain_migrations.engine.alterations.definition import SchemaDefinition
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from tests.engine.catalog.change_cases import CHANGES
from tests.support.catalog import execute

OBJECTS = Path(__file__).parents[1] / "catalog/all_objects.sql"
SETTINGS = "SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off"
WITHOUT_STATEMENT = {
    *("DROP OPERATOR CLASS lab.oc USING btree", "CREATE TYPE lab.shell"),
    "ALTER FOREIGN TABLE lab.ft OPTIONS (SET x 'z')",
}
"""Changes that have to be made by hand; also those of the kinds below."""
ONLY_DUMPED = (
    *("AGGREGATE", "CAST", "COLLATION", "CONVERSION", "OPERATOR", "TEXT SEARCH", "FOREIGN TABLE"),
)
"""Kinds that a dump creates, which cannot be made inside of the transaction of a test."""
NOT_BACK = {
    # A column that was detached counts as the child's own for ever.
    "ALTER TABLE lab.child NO INHERIT lab.kind",
}
NOT_FORTH = {
    "ALTER TABLE lab.item DISABLE TRIGGER ALL",  # The triggers of keys have no names to keep.
    "CREATE UNIQUE INDEX handmade ON lab.kind (name); ALTER TABLE lab.kind REPLICA IDENTITY USING"
    " INDEX handmade; DROP INDEX lab.handmade",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lab.item_j'::regclass",
}


@pytest.fixture(scope="module")
def lab(module_database: str) -> SchemaDefinition:
    execute(OBJECTS.read_text())
    # What needs them could not be created again without a dump.
    execute("DROP OPERATOR lab.=== (lab.status, text); DROP CAST (text AS lab.status)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definition, "read_entries", lambda *args, **options: ())
        patch.setattr(definition, "with_casts", lambda *args: ())
        return SchemaDefinition.read(connection, "lab")


@pytest.fixture(autouse=True)
def no_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "read_entries", lambda *args, **options: ())
    monkeypatch.setattr(definition, "with_casts", lambda *args: ())


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def run(changes: list[Change]) -> None:
    execute(SETTINGS)
    for change in changes:
        assert change.steps, change.sentence
        for step in change.steps:
            execute(step.sql)


def is_written(change: str) -> bool:
    return change not in WITHOUT_STATEMENT and not any(kind in change for kind in ONLY_DUMPED)


def read() -> tuple[SchemaDefinition, str]:
    return SchemaDefinition.read(connection, "lab"), fingerprint(connection, "lab")


def check(lab: SchemaDefinition, statements: list[str], *, back: bool, forth: bool) -> None:
    """Make changes by hand, undo them by statements; and make them by statements."""
    before = fingerprint(connection, "lab")
    with rolled_back():
        made = []
        for statement in statements:
            try:
                with transaction.atomic():
                    execute(statement)
                made.append(statement)
            except Error:
                assert len(statements) > 1, statement  # They exclude each other.
        assert len(made) * 2 >= len(statements)
        changed, after = read()
        if back:
            run(schema_changes(changed, lab))
            assert compare(before, fingerprint(connection, "lab")) == []
    if forth:
        with rolled_back():
            run(schema_changes(lab, changed))
            assert compare(after, fingerprint(connection, "lab")) == []


def test_an_equal_schema_needs_nothing(lab: SchemaDefinition) -> None:
    assert schema_changes(lab, read()[0]) == []


def test_many_changes_at_once_are_undone(lab: SchemaDefinition) -> None:
    some = [text for text in CHANGES if is_written(text) and text not in NOT_BACK]
    check(lab, some, back=True, forth=False)


def test_a_new_table_takes_the_names_of_one_that_is_dropped(lab: SchemaDefinition) -> None:
    """Its sequence and its index too, which go with the old one."""
    with rolled_back():
        execute(
            "CREATE TABLE lab.old (id serial PRIMARY KEY, n int, a int); "
            "CREATE INDEX of_n ON lab.old (n)"
        )
        before, text = read()
        execute(
            "DROP TABLE lab.old; CREATE TABLE lab.young (n int, id int);"
            " CREATE SEQUENCE lab.old_id_seq OWNED BY lab.young.id; CREATE INDEX of_n"
            " ON lab.young (n); ALTER TABLE lab.young ADD CONSTRAINT old_pkey PRIMARY KEY (id)"
        )
        after, wanted = read()
        run(schema_changes(after, before))
        assert compare(text, fingerprint(connection, "lab")) == []
        run(schema_changes(before, after))
        assert compare(wanted, fingerprint(connection, "lab")) == []


TYPES = [
    ("SELECT", 'CREATE TYPE lab.pair AS (a int, b text COLLATE "C")'),
    ("SELECT", "CREATE TYPE lab.pair AS (a int); COMMENT ON COLUMN lab.pair.a IS 'it''s'"),
    ("SELECT", 'CREATE TYPE lab.pair AS RANGE (SUBTYPE = text, COLLATION = "C")'),
    (
        "CREATE TYPE lab.pair AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)",
        "CREATE TYPE lab.pair AS RANGE"
        " (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = lab.pairs, SUBTYPE_OPCLASS = float8_ops)",
    ),
    ("CREATE TYPE lab.pair AS (a int, b text)", "CREATE TYPE lab.pair AS (a bigint, c text)"),
    ("CREATE TYPE lab.pair AS (a int, b text)", "CREATE TYPE lab.pair AS (b text, a int)"),
    ("CREATE TYPE lab.pair AS (a text)", 'CREATE TYPE lab.pair AS (a text COLLATE "C")'),
    ("CREATE TYPE lab.pair AS (a int)", "CREATE TYPE lab.pair AS ENUM ('a')"),
    ("CREATE TYPE lab.pair AS ENUM ('a', 'b')", "CREATE TYPE lab.pair AS ENUM ('b', 'a')"),
    (
        """CREATE DOMAIN lab.pair AS text COLLATE "C" DEFAULT 'a' NOT NULL
            CONSTRAINT short CHECK (length(VALUE) < 9)""",
        'CREATE DOMAIN lab.pair AS text COLLATE "POSIX"',
    ),
    ("CREATE SEQUENCE lab.pair", "CREATE UNLOGGED SEQUENCE lab.pair"),
]


@pytest.mark.parametrize(("old", "new"), [*TYPES, *((new, old) for old, new in TYPES)])
def test_types_and_sequences_become_others(lab: SchemaDefinition, old: str, new: str) -> None:
    with rolled_back():
        execute(new)
        wanted, text = read()
    with rolled_back():
        execute("CREATE TYPE public.pair AS (decoy int)")
        decoy = fingerprint(connection, "public")
        execute(old)
        run(schema_changes(read()[0], wanted))
        assert compare(text, fingerprint(connection, "lab")) == []
        assert compare(decoy, fingerprint(connection, "public")) == []


@pytest.mark.slow_stress
@pytest.mark.parametrize("change", [text for text in CHANGES if is_written(text)])
def test_each_change_is_made_and_undone(lab: SchemaDefinition, change: str) -> None:
    check(lab, [change], back=change not in NOT_BACK, forth=change not in NOT_FORTH)


@pytest.mark.parametrize(
    ("old", "new", "has_cast"),
    [
        ("character varying(80)", "character varying(20)", False),
        ("text", "character(3)", False),
        ("bit varying(8)[]", "bit varying(4)[]", False),
        ("text", "integer", True),
        ("integer", "text", False),
        ("text", "lab.status", True),
    ],
)
def test_values_are_not_cut_silently(old: str, new: str, has_cast: bool) -> None:
    before, after = (
        definition.SchemaObject("column", "lab.item.code", "item", (kind,), "", "")
        for kind in (old, new)
    )
    (step,) = alter_column(SchemaDefinition("lab", {}), before, after)
    assert (f" USING code::{new}" in step.sql) is has_cast
