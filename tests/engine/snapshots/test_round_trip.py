"""A schema with every kind of object, dumped and restored, also on an older server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections, transaction

from domain_migrations.domains import Domain
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from domain_migrations.engine.snapshots.live_schema import (
    has_not_null_names,
    restore,
    sequence_starts,
)
from domain_migrations.engine.snapshots.pg_dump import dump_schema, normalise
from domain_migrations.engine.snapshots.snapshot_file import join_statements
from domain_migrations.engine.sql.lexer import split_statements
from tests.engine.catalog import every_field, lab_models
from tests.support import databases
from tests.support.catalog import execute, query
from tests.support.servers import TestServer

LAB = Domain(name="lab", schema="lab", app_labels=("lab",))
EVERYTHING = Path(__file__).parents[1] / "catalog/all_objects.sql"
KEPT = Path(__file__).with_name("all_objects_of_18.sql")
"""Written on PostgreSQL 18."""
OF_NO_SCHEMA = re.compile(r"CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv [^;]*;")
NOT_IN_A_SNAPSHOT = re.compile(r"^(CREATE CAST|GRANT) .*\n", re.MULTILINE)
MORE = """
CREATE TABLE lab."Odd; table" ("a;b" text DEFAULT ';' CHECK ("a;b" <> '--'), "é" varchar(9)
    CHECK ("é" IN ('a;', 'b''', 'c')), CHECK ("é" NOT IN ('x', 'y') OR "a;b" = 'z'));
CREATE INDEX "odd; index" ON lab."Odd; table" ("a;b") WHERE "é" IN ('a;', '/*');
COMMENT ON TABLE lab."Odd; table" IS 'it''s; -- a "comment" $$ /* \\';
INSERT INTO lab."Odd; table" VALUES ('a; b', 'c'), (E'two\\nlines;\\\\', 'c'), ('$$;', NULL);
CREATE FUNCTION lab.odd() RETURNS text LANGUAGE plpgsql AS $_x$
BEGIN
    -- a semicolon; and a quote '
    RETURN $$BEGIN ATOMIC; $$ || 'END; /*';
END $_x$;
CREATE FUNCTION lab."case"(a int, b text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
    SELECT CASE WHEN a > 1 THEN CASE b WHEN ';' THEN 'x' END ELSE 'END;' END;
    SELECT 'second'::text;
END;
CREATE PROCEDURE lab.atomic_too(a int) LANGUAGE sql
BEGIN ATOMIC DELETE FROM lab.kind WHERE id = a; END;
CREATE RULE twice AS ON INSERT TO lab.v12 DO INSTEAD
    (UPDATE lab.kind SET name = ';' WHERE false; DELETE FROM lab.kind WHERE false;);
CREATE VIEW lab.lists AS SELECT id, name IN ('a', 'b') AS one, code::text IN ('c') AS two,
    name NOT IN ('d', 'e') AS three, st IN ('new', 'done') AS four, made IN ('2020-01-01') AS five
    FROM lab.item;
INSERT INTO lab.kind (name, "Odd name") SELECT 'kind ' || n, n FROM generate_series(1, 12) n;
SELECT setval('lab.numbers', 40, false);
CREATE TABLE lab.old_name (a int NOT NULL, b text CONSTRAINT chosen NOT NULL DEFAULT 'NOT NULL');
ALTER TABLE lab.old_name RENAME a TO c;
ALTER TABLE lab.old_name RENAME TO new_name;
CREATE TABLE lab.elder (a int, "b c" text NOT NULL, d text);
CREATE TABLE lab.younger (e text NOT NULL) INHERITS (lab.elder);
ALTER TABLE lab.younger ALTER a SET NOT NULL;
ALTER TABLE lab.younger ALTER d SET NOT NULL;
ALTER TABLE lab.elder RENAME d TO f;
"""
OF_18_ALONE = """
COMMENT ON CONSTRAINT chosen ON lab.new_name IS 'by hand';
ALTER TABLE lab.younger RENAME CONSTRAINT younger_a_not_null TO needed;
"""


def make_lab() -> None:
    execute(NOT_IN_A_SNAPSHOT.sub("", EVERYTHING.read_text()))
    execute(MORE)


def taken() -> tuple[str, ...]:
    text = dump_schema(connections["default"], "lab", exclude=LAB.engine_tables)
    return normalise(text, sequence_starts(connections["default"], LAB))


def restore_lab(statements: tuple[str, ...]) -> None:
    execute("CREATE SCHEMA lab; COMMENT ON SCHEMA lab IS 'the\nlab'")
    execute(OF_NO_SCHEMA.search(EVERYTHING.read_text())[0])
    execute("CREATE TABLE public.kind (id int); CREATE TABLE public.item (decoy int)")
    with transaction.atomic():
        restore(connections["default"], join_statements(statements))


@contextmanager
def other_database(server: TestServer) -> Iterator[None]:
    with databases.scratch(server) as name, databases.default_database(name):
        yield


def test_everything_is_restored(scratch_database: str, postgres_server: TestServer) -> None:
    make_lab()
    if has_not_null_names(connections["default"]):
        execute(OF_18_ALONE)
    before, rows = named(), contents()
    statements = taken()
    with other_database(postgres_server):
        restore_lab(statements)
        assert compare(before, named()) == []
        assert contents() == rows
        assert taken() == statements
    if postgres_server.kind == "embedded":
        assert KEPT.read_text() == "\n\n".join(statements) + "\n"


def test_a_snapshot_written_on_18_restores_on_every_version(scratch_database: str) -> None:
    statements = tuple(split_statements(KEPT.read_text()))
    restore_lab(statements)
    rows = contents()
    restored = fingerprint(connections["default"], "lab")
    execute("DROP SCHEMA lab CASCADE; DROP FOREIGN DATA WRAPPER w CASCADE")
    make_lab()
    assert compare(fingerprint(connections["default"], "lab"), restored) == []
    assert contents() == rows


def test_nothing_of_one_session_or_version_is_kept(scratch_database: str) -> None:
    text = KEPT.read_text()
    found = re.findall(
        r"^(?:SET|\\\\|--|GRANT|REVOKE|.*OWNER TO|CREATE SCHEMA)", text, re.MULTILINE
    )
    assert found == []


def test_objects_created_by_django_are_restored(
    scratch_database: str, postgres_server: TestServer
) -> None:
    lab_models.apply(("lab", every_field.OPERATIONS))
    before, statements = fingerprint(connections["default"], "lab"), taken()
    with other_database(postgres_server):
        execute("CREATE SCHEMA lab; CREATE TABLE public.users (id uuid PRIMARY KEY)")
        with transaction.atomic():
            restore(connections["default"], join_statements(statements))
        assert compare(before, fingerprint(connections["default"], "lab")) == []
        assert taken() == statements


def named() -> str:
    return fingerprint(connections["default"], "lab", include_names=True)


def contents() -> list[object]:
    return [
        query('SELECT * FROM lab."Odd; table" ORDER BY 1'),
        query("SELECT * FROM lab.kind ORDER BY 1"),
        query("SELECT last_value, is_called FROM lab.numbers"),
        query("SELECT last_value, is_called FROM lab.kind_id_seq"),
        query("SELECT last_value, is_called FROM lab.item_id_seq"),
    ]
