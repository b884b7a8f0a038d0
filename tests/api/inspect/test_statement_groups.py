"""The statements of a dump, grouped for people, create and drop the same objects."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction

from domain_migrations.api.inspect.migration_file import BEGIN
from domain_migrations.api.inspect.statement_groups import StatementGroup, group_statements
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from domain_migrations.engine.snapshots.cast_entries import with_casts
from domain_migrations.engine.snapshots.dump_entries import DumpEntry, read_entries
from tests.support.catalog import execute

ALL_OBJECTS = Path(__file__).parents[2] / "engine/catalog/all_objects.sql"
SCHEMA = "CREATE SCHEMA lab;\n"
CYCLES = """
CREATE TYPE lab.state AS ENUM ('a;b', 'it''s 100%');
CREATE TABLE lab.events (id bigint, at date, kind text, PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE TABLE lab.events_2025 PARTITION OF lab.events
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_kind ON lab.events (kind);
CREATE TABLE lab.parents (id serial PRIMARY KEY, state lab.state DEFAULT 'a;b', note text);
CREATE TABLE lab.children (extra int, PRIMARY KEY (id)) INHERITS (lab.parents);
CREATE TABLE lab.a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b_id int);
CREATE TABLE lab.b (id int PRIMARY KEY, a_id bigint REFERENCES lab.a);
ALTER TABLE lab.a ADD FOREIGN KEY (b_id) REFERENCES lab.b;
CREATE FUNCTION lab.code(lab.b) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE FUNCTION lab.code(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x;' $$;
CREATE INDEX b_code ON lab.b (lab.code(b));
CREATE TABLE lab.coded (id int PRIMARY KEY, note text, CHECK (lab.code(note) <> ''));
CREATE VIEW lab.grouped AS SELECT b.id, a_id FROM lab.b GROUP BY b.id;
CREATE FUNCTION lab.of_view(lab.grouped) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
CREATE OR REPLACE VIEW lab.grouped AS
    SELECT b.id, a_id FROM lab.b WHERE lab.code('x') IS NOT NULL GROUP BY b.id;
CREATE FUNCTION lab.touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.note := E'a\\nb'; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON lab.parents FOR EACH ROW EXECUTE FUNCTION lab.touch();
CREATE FUNCTION lab.total() RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM lab.a; SELECT CASE WHEN true THEN 1 ELSE 2 END; END;
CREATE RULE kept AS ON DELETE TO lab.a
    DO INSTEAD (UPDATE lab.a SET b_id = NULL; UPDATE lab.b SET a_id = NULL);
CREATE TABLE lab."Odd ""x"" table" ("Key" int PRIMARY KEY, "of" int UNIQUE);
CREATE TABLE lab.zz (id int NOT NULL);
CREATE TABLE lab.aa (id int CONSTRAINT zz_id_not_null NOT NULL);
CREATE TABLE lab."quo""ted" (id serial PRIMARY KEY);
CREATE INDEX "Odd index" ON lab."Odd ""x"" table" ("of" DESC);
CREATE TABLE lab.keyed (id int PRIMARY KEY, code text CONSTRAINT "Odd key" UNIQUE);
COMMENT ON INDEX lab."Odd key" IS 'The index of a constraint';
COMMENT ON CONSTRAINT "Odd key" ON lab.keyed IS 'The constraint';
CREATE TABLE lab.late (id int PRIMARY KEY, code text UNIQUE);
CREATE INDEX late_code ON lab.late (code);
COMMENT ON INDEX lab.late_code_key IS 'The index of a constraint, in a dump far behind it';
COMMENT ON INDEX lab."Odd index" IS '-- Name: x; Type: TABLE; Schema: lab; Owner: -
--
DROP';
"""


def all_entries() -> tuple[DumpEntry, ...]:
    return with_casts(connection, "lab", read_entries(connection, "lab"))


def run(groups: list[StatementGroup], *, backwards: bool) -> None:
    with transaction.atomic():
        for group in reversed(groups) if backwards else [BEGIN, *groups]:
            for statement in group.backwards if backwards else group.forwards:
                execute(statement)


@pytest.fixture(scope="module", params=["every kind of object", "cycles and partitions"])
def entries(request: pytest.FixtureRequest, module_database: str) -> tuple[DumpEntry, ...]:
    execute("DROP SCHEMA IF EXISTS lab CASCADE")
    every = request.param == "every kind of object"
    execute(ALL_OBJECTS.read_text() if every else SCHEMA + CYCLES)
    return all_entries()


def test_the_groups_create_and_drop_the_objects(entries: tuple[DumpEntry, ...]) -> None:
    groups = group_statements(entries, "lab")
    before = fingerprint(connection, "lab", include_names=True)
    execute("DROP SCHEMA lab CASCADE; CREATE SCHEMA lab")
    empty = fingerprint(connection, "lab")

    run(groups, backwards=False)
    assert compare(before, fingerprint(connection, "lab", include_names=True)) == []
    assert all_entries() == entries

    run(groups, backwards=True)
    assert fingerprint(connection, "lab") == empty

    run(groups, backwards=False)
    assert compare(before, fingerprint(connection, "lab", include_names=True)) == []
