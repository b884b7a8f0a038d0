"""Fingerprints of schemas, and their changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction

from domain_migrations.engine.catalog.fingerprint import (
    compare,
    fingerprint,
    fingerprint_differences,
    read_catalog,
    read_objects,
)
from tests.engine.catalog.change_cases import CHANGES

EVERYTHING = Path(__file__).with_name("all_objects.sql")
CANONICAL = Path(__file__).with_name("all_objects.txt")
SETTINGS = ("search_path", "TimeZone", "DateStyle", "IntervalStyle", "jit", "lc_monetary")


@pytest.fixture(scope="module", autouse=True)
def everything(module_database: str) -> None:
    """A schema with an object of every kind, and one in public whose tables have its names."""
    statements = EVERYTHING.read_text()
    execute(statements)
    execute("CREATE TABLE public.item (id int, decoy text); CREATE TABLE public.kind (id int)")
    execute("CREATE TYPE public.status AS ENUM ('decoy')")


def execute(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements, None)


def value(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, None)
        return cursor.fetchone()[0]


def changed(statement: str, **options: object) -> list[str]:
    """Return the differences after the statement, which is rolled back."""
    before = fingerprint(connection, "lab", **options)
    with transaction.atomic():
        execute(statement)
        after = fingerprint(connection, "lab", **options)
        transaction.set_rollback(True)
    return compare(before, after)


def test_the_text_is_the_same_on_every_version():
    assert fingerprint(connection, "lab") == CANONICAL.read_text()


@pytest.mark.parametrize("statement", CHANGES)
def test_each_change_is_seen_and_named(statement: str):
    with transaction.atomic():
        execute(statement)
        after = fingerprint(connection, "lab")
        transaction.set_rollback(True)
    assert compare(CANONICAL.read_text(), after) == CHANGES[statement]


def test_a_rolled_back_statement_leaves_no_difference():
    before = fingerprint(connection, "lab")
    with transaction.atomic():
        execute('ALTER TABLE lab.kind ADD COLUMN extra int; ALTER TABLE lab.kind DROP "extra"')
        assert compare(before, fingerprint(connection, "lab")) == []
        transaction.set_rollback(True)


def test_the_position_of_a_column_is_not_compared():
    execute("CREATE TABLE lab.positions (a int, b text, c int)")
    before = fingerprint(connection, "lab")
    execute("ALTER TABLE lab.positions DROP COLUMN b; ALTER TABLE lab.positions ADD COLUMN b text")
    after = fingerprint(connection, "lab")
    execute("DROP TABLE lab.positions")
    assert compare(before, after) == []


def test_the_order_of_enum_labels_and_of_attributes_is_a_difference():
    texts = []
    for labels, attributes in (("'a', 'b'", "x int, y text"), ("'b', 'a'", "y text, x int")):
        with transaction.atomic():
            execute(f"CREATE TYPE lab.labels AS ENUM ({labels})")
            execute(f"CREATE TYPE lab.pair AS ({attributes})")
            texts.append(fingerprint(connection, "lab"))
            transaction.set_rollback(True)
    assert compare(*texts) == [
        "type lab.labels differs: enum, label 'a', label 'b' / enum, label 'b', label 'a'",
        "type lab.pair differs: composite, attribute x integer, attribute y text / composite,"
        " attribute y text, attribute x integer",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE public.item DROP COLUMN decoy",
        "DROP TABLE public.kind",
        "ALTER TYPE public.status ADD VALUE 'new'",
        "CREATE SCHEMA elsewhere",
        "INSERT INTO lab.kind (name) VALUES ('x')",
        "SELECT nextval('lab.numbers')",
        "REFRESH MATERIALIZED VIEW lab.mv",
        "ANALYZE lab.item",
        "CREATE TABLE public.child (parent bigint REFERENCES lab.kind)",
        "CREATE VIEW public.view AS SELECT * FROM lab.kind",
        "GRANT SELECT ON lab.kind TO public",
    ],
)
def test_other_schemas_and_data_are_not_compared(statement: str):
    assert changed(statement) == []


@pytest.mark.parametrize(
    ("path", "zone"), [("lab", "Asia/Bangkok"), ("public, lab", "UTC"), ("", "America/New_York")]
)
def test_the_text_does_not_depend_on_the_session_and_leaves_it_alone(path: str, zone: str):
    expected = CANONICAL.read_text()
    execute(f"SELECT set_config('search_path', '{path}', false)")
    execute(f"SET TimeZone = '{zone}'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'")
    try:
        before = [value(f"SHOW {name}") for name in SETTINGS]
        assert fingerprint(connection, "lab") == expected
        assert [value(f"SHOW {name}") for name in SETTINGS] == before
        with transaction.atomic():
            execute("SET LOCAL lock_timeout = '7s'")
            assert fingerprint(connection, "lab") == expected
            assert [value(f"SHOW {name}") for name in SETTINGS] == before
            assert value("SHOW lock_timeout") == "7s"
    finally:
        execute("RESET ALL")


def test_reading_writes_nothing_and_keeps_no_lock():
    with transaction.atomic():
        execute("SET TRANSACTION READ ONLY")
        fingerprint(connection, "lab", include_privileges=True)
        assert value("SELECT pg_current_xact_id_if_assigned()") is None
        assert value(
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
            " AND relation::regclass::text LIKE 'lab.%'"
        ) == 0  # fmt: skip


def test_autocommit_and_the_connections_state_are_as_before():
    assert connection.get_autocommit()
    fingerprint(connection, "lab")
    assert connection.get_autocommit()
    assert not connection.in_atomic_block
    assert value("SELECT now() = statement_timestamp()") is True


def test_a_schema_that_is_not_there_has_an_empty_text():
    assert fingerprint(connection, "nowhere") == ""
    assert compare("", fingerprint(connection, "lab"))[0] == "schema lab: added"


def test_excluded_relations_go_with_all_that_belongs_to_them():
    execute(
        "CREATE TABLE lab.history (id serial PRIMARY KEY, app text UNIQUE);"
        "CREATE INDEX history_app ON lab.history (app);"
        "CREATE TRIGGER t BEFORE UPDATE ON lab.history FOR EACH ROW EXECUTE FUNCTION lab.touch()"
    )
    try:
        assert "history" in fingerprint(connection, "lab")
        assert fingerprint(connection, "lab", exclude={"history"}) == CANONICAL.read_text()
    finally:
        execute("DROP TABLE lab.history")


def test_members_of_an_extension_are_the_extensions():
    extension = value(
        "SELECT name FROM pg_available_extensions WHERE name IN ('vector', 'citext') LIMIT 1"
    )
    assert changed(f"CREATE EXTENSION {extension} SCHEMA lab") == [f"extension {extension}: added"]


@pytest.mark.parametrize(
    ("statement", "sentences"),
    [
        (
            "GRANT UPDATE ON lab.kind TO public",
            ["privileges lab.kind differs: nothing / update to public"],
        ),
        ("GRANT SELECT (name) ON lab.kind TO public", ["privileges lab.kind.name: added"]),
        (
            "REVOKE EXECUTE ON FUNCTION lab.touch() FROM public",
            ["privileges lab.touch() differs: execute to public / nothing"],
        ),
        (
            "REVOKE USAGE ON TYPE lab.status FROM public",
            ["privileges lab.status differs: usage to public / nothing"],
        ),
        (
            "GRANT USAGE ON SCHEMA lab TO public",
            ["privileges lab differs: nothing / usage to public"],
        ),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA lab GRANT SELECT ON TABLES TO public",
            ["default privileges lab for postgres on tables: added"],
        ),
        ("GRANT SELECT ON lab.kind TO public; REVOKE ALL ON lab.kind FROM public", []),
    ],
)
def test_privileges_are_compared_on_request(statement: str, sentences: list[str]):
    assert changed(statement) == []
    said = changed(statement, include_privileges=True)
    owner = value("SELECT current_user")
    assert said == [sentence.replace("for postgres", f"for {owner}") for sentence in sentences]


def test_owners_are_privileges():
    said = changed("CREATE ROLE someone; ALTER TABLE lab.kind OWNER TO someone")
    assert said == []
    said = changed(
        "CREATE ROLE someone; ALTER TABLE lab.kind OWNER TO someone", include_privileges=True
    )
    assert said[0].startswith("privileges lab.kind differs: owner ")
    assert "owner someone" in said[0]


def test_titles_contain_the_parent_object():
    objects = {item.title: item for item in read_objects(connection, "lab")}
    assert objects["column lab.item.qty"].relation == "item"
    assert objects["sequence lab.kind_id_seq"].relation == "kind"
    assert objects["sequence lab.numbers"].relation == "numbers"
    assert objects["function lab.touch()"].relation is None
    assert objects["column lab.item.qty"].definition == "integer\ndefault 0\nwith n_distinct=4"


def test_names_of_not_null_are_read_on_request():
    statement = (
        "CREATE TABLE lab.named (a int NOT NULL, b int CONSTRAINT chosen NOT NULL);"
        "ALTER TABLE lab.named RENAME a TO c;"
        "CREATE TYPE lab.pair AS ENUM (); CREATE TYPE lab._pair AS ENUM ()"
    )
    assert not [item for item in changed(statement) if "constraint" in item]
    said = changed(f"{statement}; DROP TABLE lab.parted CASCADE", include_names=True)
    assert "array type lab.__pair: added" in said
    with transaction.atomic():
        execute(statement)
        text = fingerprint(connection, "lab", include_names=True)
        transaction.set_rollback(True)
    is_named = value("SELECT current_setting('server_version_num')::int >= 180000")
    assert ("constraint lab.named.chosen\n    NOT NULL b\n" in text) is is_named
    assert ("constraint lab.named.named_a_not_null\n    NOT NULL c\n" in text) is is_named


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("CREATE PUBLICATION news FOR TABLE lab.kind (id)", "publication news: added"),
        (
            "CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION lab.watch()",
            "event trigger watch: added",
        ),
        ("CREATE SERVER other FOREIGN DATA WRAPPER w", "server other: added"),
        (
            "CREATE TRANSFORM FOR lab.status LANGUAGE sql"
            " (FROM SQL WITH FUNCTION prsd_lextype(internal))",
            "transform for lab.status language sql: added",
        ),
        ("CREATE CAST (text AS date) WITH INOUT", "cast text as date: added"),
    ],
)
def test_objects_in_no_schema_are_compared_with_the_whole_database(statement: str, sentence: str):
    with transaction.atomic():
        execute("CREATE FUNCTION lab.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
        before = read_catalog(connection)
        execute(statement)
        found = fingerprint_differences(before, read_catalog(connection))
        transaction.set_rollback(True)
    assert found == [sentence]


def test_the_tables_of_a_publication_are_compared():
    with transaction.atomic():
        execute("CREATE PUBLICATION news FOR TABLE lab.kind, lab.item WHERE (id > 3)")
        before = read_catalog(connection)
        execute("ALTER PUBLICATION news DROP TABLE lab.item")
        found = fingerprint_differences(before, read_catalog(connection))
        transaction.set_rollback(True)
    assert found == ["publication news differs: table lab.item where (id > 3) / nothing"]
