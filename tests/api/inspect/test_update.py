"""What has come into the schema of a domain since, as a migration: `inspect_domain --update`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.inspect.test_inspect import (  # noqa: F401
    depot,
    inspected,
    migrate,
    source,
)
from tests.support import catalog
from tests.support.catalog import execute
from tests.support.commands import call

CHANGED = """
CREATE TABLE depot.shelves (id int PRIMARY KEY, code varchar(9) NOT NULL DEFAULT '-');
ALTER TABLE depot.items ADD COLUMN shelf_id int REFERENCES depot.shelves,
    ALTER price TYPE numeric(12, 2), DROP COLUMN supplier_id;
CREATE INDEX items_shelf ON depot.items (shelf_id);
DROP INDEX depot.items_price;
ALTER TYPE depot.state ADD VALUE 'late';
COMMENT ON COLUMN depot.items.price IS 'net';
DROP VIEW depot.names;
CREATE VIEW depot.names AS SELECT id, name, state FROM depot.suppliers;
CREATE OR REPLACE FUNCTION depot.touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RETURN NEW; END $$;
ALTER TABLE depot.items DISABLE TRIGGER touch;
DROP TABLE depot.old_codes;
CREATE VIEW public.shelves AS SELECT 1 AS id;
"""
RUNS = """
CREATE TABLE depot.runs (id serial, name text, batch int, migration_time timestamptz)
"""
HISTORY = """
format = 1
tool = "knex"
schema = "depot"
table = "runs"
date = 2026-01-01
"""


def test_what_has_come_is_a_migration(depot: Path) -> None:  # noqa: F811
    assert migrate().exit_status == 0
    # The history of another tool is left out under any name that a declaration gives it.
    execute(RUNS)
    (depot / "migrations/history.toml").write_text(HISTORY)
    assert "Nothing has come into depot." in call("inspect_domain", "depot", "--update").stdout
    execute(CHANGED)
    before = catalog.snapshot()

    result = call("inspect_domain", "depot", "--update")

    assert result.exit_status == 0, result.stdout + result.stderr
    assert catalog.snapshot() == before
    (path,) = depot.glob("migrations/0002_update_*.py")
    assert "class Shelf(" in (depot / "models.py").read_text()
    assert "CREATE TABLE depot.shelves" in path.read_text()
    adopted = migrate()
    assert adopted.exit_status == 0, adopted.stderr
    assert f"Adopted depot.{path.stem}" in adopted.stdout
    assert catalog.snapshot()["public"] == before["public"]
    found = json.loads(call("verify_domain", "depot", "--format", "json").stdout)["findings"]
    assert {item["id"] for item in found} <= {"L005", "L006"}  # As in the source
