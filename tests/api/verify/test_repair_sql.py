"""A repair can be run as it is printed, and again with all that was commented out."""

from __future__ import annotations

import pytest
from django.db import connection

from domain_migrations.api.verify.repair_script import RepairScript
from domain_migrations.api.verify.repair_sql import make_script
from domain_migrations.api.verify.row_facts import RowFacts
from domain_migrations.domains import Domain
from domain_migrations.engine.alterations.changes import Change, schema_changes
from domain_migrations.engine.alterations.definition import SchemaDefinition
from domain_migrations.engine.alterations.renames import certain_renames
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from tests.api.verify.test_repair import psql, reviewed
from tests.support.catalog import execute

SCHEMA = """
CREATE SCHEMA lager;
CREATE TYPE lager.state AS ENUM ('new', 'old');
CREATE DOMAIN lager.positive AS int CHECK (VALUE > 0);
CREATE TABLE lager.items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,
    state lager.state NOT NULL DEFAULT 'new', counts lager.positive[], kind text);
CREATE VIEW lager.news AS SELECT id FROM lager.items WHERE state = 'new';
CREATE TABLE lager.lines (id int PRIMARY KEY, item_id int NOT NULL REFERENCES lager.items);
CREATE TABLE lager.moves (id int, at date, n int) PARTITION BY RANGE (at);
CREATE INDEX moves_id ON lager.moves (id);
CREATE VIEW lager.amounts AS SELECT n FROM lager.moves;
CREATE VIEW lager.sums AS SELECT sum(n) AS n FROM lager.amounts;
CREATE TABLE lager.moves_2026 PARTITION OF lager.moves
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE lager.lots (id int, code text);
CREATE VIEW lager.plain AS SELECT code FROM lager.lots;
CREATE VIEW lager.plainer AS SELECT code FROM lager.plain;
CREATE MATERIALIZED VIEW lager.kept AS SELECT code FROM lager.plainer;
CREATE UNIQUE INDEX kept_code ON lager.kept (code);
CREATE TABLE lager.runs (id int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id);
CREATE TABLE lager.runs_1 PARTITION OF lager.runs FOR VALUES FROM (1) TO (9);
INSERT INTO lager.items (name) VALUES ('a');
INSERT INTO lager.moves VALUES (1, '2026-02-02', 1);
"""
DRIFTS = {
    "a label": "ALTER TYPE lager.state ADD VALUE 'lost' AFTER 'new'",
    "a type of a column": "CREATE TYPE lager.kind AS ENUM ('x');"
    " ALTER TABLE lager.items ALTER kind TYPE lager.kind USING NULL",
    "a collation": 'CREATE COLLATION lager.german FROM "C";'
    " ALTER TABLE lager.items ALTER name TYPE text COLLATE lager.german",
    "a check of a domain in an array": "ALTER DOMAIN lager.positive DROP CONSTRAINT positive_check;"
    " ALTER DOMAIN lager.positive ADD CONSTRAINT positive_check CHECK (VALUE > -1) NOT VALID",
    "a sequence under a key to a table that goes": "CREATE TABLE lager.more"
    " (item int REFERENCES lager.items); ALTER TABLE lager.items ALTER id DROP IDENTITY;"
    " CREATE SEQUENCE lager.items_id_seq AS int OWNED BY lager.items.id;"
    " ALTER TABLE lager.items ALTER id SET DEFAULT nextval('lager.items_id_seq')",
    "a partition and a type of its parent": "ALTER TABLE lager.moves DETACH PARTITION"
    " lager.moves_2026; DROP TABLE lager.moves_2026; DROP VIEW lager.amounts CASCADE;"
    " ALTER TABLE lager.moves ALTER n TYPE bigint",
    "an enum and a default": "CREATE TYPE lager.kind AS ENUM ('new'); ALTER TABLE lager.items"
    " ALTER state DROP DEFAULT; DROP VIEW lager.news; ALTER TABLE lager.items"
    " ALTER state TYPE lager.kind USING 'new'",
    "a label and a name of a type": "ALTER TYPE lager.state ADD VALUE 'lost' AFTER 'new';"
    " ALTER TYPE lager.state RENAME TO mood",
    "a view under a view": "DROP VIEW lager.amounts CASCADE;"
    " ALTER TABLE lager.moves ALTER n TYPE bigint",
    "a type under a materialized view": "DROP VIEW lager.plain CASCADE;"
    " ALTER TABLE lager.lots ALTER code TYPE varchar(9);"
    " CREATE VIEW lager.plain AS SELECT code FROM lager.lots;"
    " CREATE VIEW lager.plainer AS SELECT code FROM lager.plain;"
    " CREATE MATERIALIZED VIEW lager.kept AS SELECT code FROM lager.plainer;"
    " CREATE UNIQUE INDEX kept_code ON lager.kept (code)",
    "a partition with an identity": "ALTER TABLE lager.runs DETACH PARTITION lager.runs_1",
    "names of keys that are swapped": "ALTER TABLE lager.items RENAME CONSTRAINT items_pkey TO x;"
    " ALTER TABLE lager.lines RENAME CONSTRAINT lines_pkey TO items_pkey;"
    " ALTER TABLE lager.items RENAME CONSTRAINT x TO lines_pkey",
    "a default of a view": "ALTER VIEW lager.news ALTER id SET DEFAULT 7",
    "a name with a percent sign": "ALTER TABLE lager.lines ALTER item_id DROP NOT NULL;"
    ' ALTER TABLE lager.lines RENAME TO "li %"',
    "a name of a table with a key": "ALTER TABLE lager.lines DROP CONSTRAINT lines_item_id_fkey;"
    " ALTER TABLE lager.lines RENAME TO rows",
}


def script() -> RepairScript:
    """The repair of what differs from the schema as it was made."""
    schema = SchemaDefinition.read(connection, "lager")
    expected, renames = EXPECTED["schema"], certain_renames(EXPECTED["schema"], schema)
    assert len(renames) <= 1
    if renames:
        # As in the scratch database, where the migrations have made the schema.
        execute(f"BEGIN; DROP SCHEMA lager CASCADE; {SCHEMA}; {renames[0].forwards}")
        expected = SchemaDefinition.read(connection, "lager")
        execute("ROLLBACK")
    changes = [*schema_changes(schema, expected), *map(Change.back, renames)]
    facts = RowFacts(connection, schema)
    return make_script(Domain("lager", "lager", ()), "default", changes, facts, findings=[])


EXPECTED: dict[str, SchemaDefinition] = {}


@pytest.fixture(scope="module", autouse=True)
def database(module_database: str) -> None:
    execute(SCHEMA)
    EXPECTED["schema"] = SchemaDefinition.read(connection, "lager")


@pytest.mark.parametrize("drift", DRIFTS)
def test_the_script_runs_with_and_without_review(drift: str) -> None:
    execute(f"DROP SCHEMA lager CASCADE; {SCHEMA} CREATE TABLE IF NOT EXISTS public.items (id int)")
    wanted, public = fingerprint(connection, "lager"), fingerprint(connection, "public")
    execute(DRIFTS[drift])
    for is_reviewed in (False, True):
        text = script().text()
        done = psql(reviewed(text) if is_reviewed else text)
        assert done.returncode == 0, done.stderr + text
    assert compare(wanted, fingerprint(connection, "lager")) == []
    assert fingerprint(connection, "public") == public
