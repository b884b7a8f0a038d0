"""What has come into the schema of a domain since, as a migration: `inspect_domain --update`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from domain_migrations.engine.catalog.fingerprint import compare
from domain_migrations.engine.sources.stages import unstaged_removals
from tests.api.inspect.test_inspect import (  # noqa: F401
    depot,
    inspected,
    migrate,
    source,
)
from tests.support import catalog
from tests.support.catalog import execute, query
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
CREATE TYPE public.state AS ENUM ('decoy');
"""
LATER = """
ALTER TABLE depot.suppliers ALTER state SET DEFAULT 'lost';
CREATE VIEW depot.lost AS SELECT id FROM depot.suppliers WHERE state = 'lost';
DROP MATERIALIZED VIEW depot.counts;
CREATE TABLE depot.stops (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL,
    CONSTRAINT stops_key PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE depot.stops_2026 PARTITION OF depot.stops
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX stops_at ON depot.stops (at);
ALTER TABLE depot.stops RENAME TO halts;
"""
RENAMED = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("depot", "{leaf}")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RenameModel("Vendor", "Seller")]
        )
    ]
"""
RENAMED_BY_HAND = """
ALTER TABLE depot.suppliers RENAME COLUMN name TO "Full name";
ALTER TABLE depot.suppliers RENAME TO vendors;
ALTER TYPE depot.state RENAME VALUE 'lost' TO 'gone';
ALTER TYPE depot.state RENAME TO condition;
ALTER TABLE depot.items DROP COLUMN shelf_id, ADD COLUMN place_id int;
ALTER TABLE depot.items RENAME COLUMN price TO cost;
ALTER TABLE depot.codes RENAME TO words;
GRANT SELECT ON depot.items TO pg_monitor;
REVOKE SELECT ON depot.vendors FROM PUBLIC;
CREATE TABLE public.suppliers ("Full name" text);
GRANT SELECT ON public.suppliers TO PUBLIC;
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
    check_update(depot)
    check_labels_that_are_used(depot)
    check_renames(depot)
    check_models_with_other_names(depot)


def check_update(depot: Path) -> None:  # noqa: F811
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
    # What goes has a migration of its own, for the time when no code uses it.
    first, last = sorted(depot.glob("migrations/000[23]_update_*.py"))
    assert "class Shelf(" in (depot / "models.py").read_text()
    assert "CREATE TABLE depot.shelves" in first.read_text()
    adopted = migrate()
    assert adopted.exit_status == 0, adopted.stderr
    for path in (first, last):
        assert f"Adopted depot.{path.stem}" in adopted.stdout
    assert "DeleteModel" in last.read_text()
    assert "DeleteModel" not in first.read_text()
    assert [item for item in unstaged_removals() if item.key.app == "depot"] == []
    assert catalog.snapshot()["public"] == before["public"]
    found = json.loads(call("verify_domain", "depot", "--format", "json").stdout)["findings"]
    assert {item["id"] for item in found} <= {"L005", "L006"}  # As in the source


def check_labels_that_are_used(depot: Path) -> None:  # noqa: F811
    """A label needs a migration of its own; the models were edited, and the stage is another."""
    models = depot / "models.py"
    models.write_text(f"{models.read_text()}\n# Edited\n")
    edited = models.read_text()
    assert "class State(" in edited  # The enum in public takes no name.
    execute("ALTER TYPE depot.state ADD VALUE 'lost' AFTER 'new'")
    execute(LATER)
    before = catalog.snapshot()

    result = call("inspect_domain", "depot", "--update")

    assert result.exit_status == 0, result.stdout + result.stderr
    assert (catalog.snapshot(), models.read_text()) == (before, edited)
    assert "--- depot/models.py\n" in result.stdout
    assert "are lost where" not in result.stdout  # The rows of a materialized view are computed.
    labels, added, rest = sorted(depot.glob("migrations/000[456]_update_*.py"))
    diff = result.stdout.partition("\n--- ")[2].partition("\nProven")[0]
    subprocess.run(
        ["patch", "--strip=0"], input=f"--- {diff}", cwd=depot.parent, text=True, check=True
    )
    assert "class Halt(" in models.read_text()
    assert ('stage = "after"' in rest.read_text(), "stage" in added.read_text()) == (True, False)
    rest.write_text(rest.read_text().replace('stage = "after"', "stage = 'before'", 1))
    adopted = migrate()
    assert adopted.exit_status == 0, adopted.stderr
    for path in (labels, added, rest):
        assert f"Adopted depot.{path.stem}" in adopted.stdout
    assert catalog.snapshot()["public"] == before["public"]
    assert "Nothing has come into depot." in call("inspect_domain", "depot", "--update").stdout


def check_renames(depot: Path) -> None:  # noqa: F811
    """What is certain keeps its rows; a column in the place of a dropped one is not."""
    former = (depot / "migrations/max_migration.txt").read_text().strip()
    execute(RENAMED_BY_HAND)
    before = catalog.snapshot()

    result = call("inspect_domain", "depot", "--update")

    assert result.exit_status == 0, result.stdout + result.stderr
    for sentence in (
        "table depot.suppliers: renamed to vendors",
        'column depot.vendors.name: renamed to "Full name"',
        "type depot.state: renamed to condition",
        "label 'lost' of the type depot.condition: renamed to 'gone'",
        "column depot.items.shelf_id: missing",
        "column depot.items.place_id: added",
        "privileges: added: GRANT SELECT ON TABLE depot.items TO pg_monitor;",
        "privileges: missing: GRANT SELECT ON TABLE depot.suppliers TO PUBLIC;",
    ):
        assert f"{sentence}\n" in result.stdout
    assert "Table depot.suppliers: renamed to vendors, because everything else" in result.stdout
    assert "The column depot.items.shelf_id is dropped" in result.stdout
    states = "".join(path.read_text() for path in depot.glob("migrations/000[78]_update_*.py"))
    assert "RenameModel" in states
    assert "RenameField" in states
    assert "DROP TABLE" not in states
    assert [item for item in unstaged_removals() if item.key.app == "depot"] == []
    assert "Adopted depot.0007_update_" in migrate().stdout
    privileges = "SELECT relacl::text FROM pg_class WHERE oid = 'depot.{}'::regclass"
    of_items, of_vendors = query(privileges.format("items")), query(privileges.format("vendors"))
    for target, table, column in ((former, "suppliers", "name"), ("", "vendors", "Full name")):
        done = migrate(*[target] if target else [])
        assert done.exit_status == 0, done.stderr
        assert "Adopted" not in done.stdout
        assert query(f'SELECT "{column}" FROM depot.{table}') == [("First",)]
    assert compare(before["depot"], catalog.snapshot()["depot"]) == []
    assert catalog.snapshot()["public"] == before["public"]
    assert query(privileges.format("items")) == of_items
    assert query(privileges.format("vendors")) == of_vendors
    assert "Nothing has come into depot." in call("inspect_domain", "depot", "--update").stdout


def check_models_with_other_names(depot: Path) -> None:  # noqa: F811
    leaf = (depot / "migrations/max_migration.txt").read_text().strip()
    (depot / "migrations/0009_other_names.py").write_text(RENAMED.format(leaf=leaf))
    assert migrate().exit_status == 0
    execute("ALTER TABLE depot.vendors ADD COLUMN rating int")

    result = call("inspect_domain", "depot", "--update")

    assert result.exit_status == 1
    assert "Add field rating to vendor: " in result.stdout
    assert not list(depot.glob("migrations/0010*"))
