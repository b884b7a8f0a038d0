"""The SQL of `verify_domain --repair-sql` brings a schema back to what the migrations make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.db import connection

from domain_migrations.api.verify import row_facts
from domain_migrations.api.verify.row_facts import RowFacts
from domain_migrations.engine.alterations.definition import SchemaDefinition
from domain_migrations.engine.catalog.fingerprint import compare
from domain_migrations.engine.snapshots.dump_program import find_program
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import Result, call


def repair_sql(domain: str, *arguments: str) -> Result:
    return call("verify_domain", domain, "--repair-sql", *arguments)


def psql(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a person would."""
    info = connection.connection.info
    program = Path(find_program(info.server_version // 10000)).with_name("psql")
    target = f"host={info.host} port={info.port} dbname={info.dbname} user={info.user}"
    return subprocess.run(
        [program, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", target],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        env={"PGPASSWORD": info.password or ""},
    )


def reviewed(script: str) -> str:
    """The script with all of its statements."""
    lines, is_statement = [], False
    for line in script.split("\n"):
        if line.startswith("-- Review first: "):
            is_statement = True
        elif is_statement and line.startswith("--"):
            lines.append(line.removeprefix("--").removeprefix(" "))
            is_statement = not line.endswith(";")
        else:
            lines.append(line)
    return "\n".join(lines)


DECOYS = """
CREATE VIEW public.stock_on_hand AS SELECT 1 AS id;
CREATE FUNCTION public.keep_stock_levels() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE INDEX drugs_trade_name_idx ON public.users (id);
CREATE SEQUENCE public.drugs_id_seq;
CREATE TYPE public.mood AS ENUM ('good');
"""
GROUPS = {
    "columns": """
        ALTER TABLE inventory.drugs ALTER trade_name TYPE text, ALTER tmt_code DROP NOT NULL,
            ALTER is_active SET DEFAULT true, ALTER id SET GENERATED ALWAYS,
            ALTER registration_number TYPE varchar(30) COLLATE "C", DROP COLUMN created_by_id,
            ADD COLUMN by_hand int DEFAULT 3;
        ALTER TABLE inventory.locations ALTER id DROP IDENTITY;
        ALTER TABLE inventory.drug_units ALTER name SET STORAGE external,
            ALTER name SET STATISTICS 7, ALTER name SET (n_distinct = 4);
        COMMENT ON COLUMN inventory.drug_units.name IS 'by hand';
        COMMENT ON TABLE inventory.drug_units IS 'by hand';
        ALTER SEQUENCE inventory.drugs_id_seq INCREMENT 10 CACHE 5 CYCLE;
        ALTER TABLE inventory.companies ADD COLUMN size int GENERATED ALWAYS AS (1 + 1) STORED;
    """,
    "keys and indexes": """
        ALTER TABLE inventory.drugs DROP CONSTRAINT drugs_standard_code_check,
            ADD CONSTRAINT drugs_standard_code_check CHECK (standard_code <> ''),
            DROP CONSTRAINT drugs_generic_id_6be57035_fk_drug_generics_id,
            ADD CHECK (is_active) NOT VALID, DROP CONSTRAINT drugs_standard_code_key;
        ALTER TABLE inventory.drugs
            DROP CONSTRAINT drugs_manufacturer_id_a8cc1247_fk_companies_id,
            ADD CONSTRAINT drugs_manufacturer_id_a8cc1247_fk_companies_id
                FOREIGN KEY (manufacturer_id) REFERENCES inventory.companies NOT VALID;
        ALTER TABLE inventory.budget_requests
            DROP CONSTRAINT budget_requests_budget_id_03c5621e_fk_budgets_id,
            ADD CONSTRAINT budget_requests_budget_id_03c5621e_fk_budgets_id
                FOREIGN KEY (budget_id) REFERENCES inventory.budgets ON DELETE CASCADE;
        ALTER TABLE inventory.budget_request_items DISABLE TRIGGER ALL;
        ALTER TABLE inventory.locations RENAME CONSTRAINT locations_code_key TO code_is_unique;
        ALTER INDEX inventory.drugs_generic_id_6be57035 RENAME TO by_generic;
        DROP INDEX inventory.drugs_trade_name_idx;
        CREATE INDEX drugs_trade_name_idx ON inventory.drugs (trade_name text_pattern_ops)
            INCLUDE (tmt_code) WHERE is_active;
        CREATE UNIQUE INDEX by_hand ON inventory.drugs (tmt_code, registration_number);
        DROP INDEX inventory.budget_requests_status_idx;
        UPDATE pg_index SET indisvalid = false
            WHERE indexrelid = 'inventory.drugs_manufacturer_id_a8cc1247'::regclass;
        ALTER TABLE inventory.drugs REPLICA IDENTITY FULL;
        ALTER TABLE inventory.companies REPLICA IDENTITY USING INDEX companies_code_key;
        ALTER TABLE inventory.companies SET (fillfactor = 70, toast.autovacuum_enabled = false),
            CLUSTER ON companies_pkey;
        CREATE STATISTICS inventory.by_hand_stats ON code, name FROM inventory.companies;
    """,
    "what runs": """
        CREATE OR REPLACE FUNCTION inventory.keep_stock_levels() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RETURN NULL; END $$;
        DROP FUNCTION inventory.move_stock(bigint, bigint, bigint);
        CREATE FUNCTION inventory.move_stock(bigint, bigint, bigint) RETURNS int
            LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION inventory.by_hand() RETURNS int LANGUAGE sql AS 'SELECT 1';
        DROP TRIGGER budget_requests_audit_insert ON inventory.budget_requests;
        ALTER TABLE inventory.budget_requests DISABLE TRIGGER budget_requests_audit_update;
        CREATE TRIGGER by_hand BEFORE UPDATE ON inventory.drugs FOR EACH ROW
            EXECUTE FUNCTION inventory.keep_stock_levels();
        CREATE OR REPLACE VIEW inventory.stock_on_hand AS
            SELECT *, 1 AS by_hand FROM inventory.stock_on_hand_before;
        CREATE MATERIALIZED VIEW inventory.counts AS
            SELECT count(*) AS n, max(by_hand) AS m FROM inventory.stock_on_hand;
        CREATE VIEW inventory.on_counts AS SELECT n FROM inventory.counts;
        ALTER TABLE inventory.drugs ENABLE ROW LEVEL SECURITY;
        CREATE POLICY by_hand ON inventory.drugs USING (is_active);
        CREATE RULE by_hand AS ON DELETE TO inventory.drug_units DO INSTEAD NOTHING;
        CREATE TYPE inventory.mood AS ENUM ('good');
        CREATE DOMAIN inventory.code AS text CHECK (VALUE <> '');
        CREATE TABLE inventory.by_hand_table (id serial PRIMARY KEY, mood inventory.mood,
            drug bigint REFERENCES inventory.drugs);
        CREATE TABLE inventory.parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE inventory.parted_1 PARTITION OF inventory.parted DEFAULT;
        CREATE SEQUENCE inventory.by_hand_seq;
    """,
    "tables": """
        DROP TABLE inventory.stock_levels, inventory.receipt_inspectors CASCADE;
        ALTER TABLE inventory.budget_request_comments SET UNLOGGED;
        ALTER TABLE inventory.drug_units RENAME TO units;
        CREATE TABLE inventory.stock_on_hand (id int);
    """,
}


@pytest.fixture
def drifted(migrated_database: str) -> dict[str, str]:
    """Databases with decoys in `public`; the catalog before anything was done by hand."""
    execute(DECOYS)
    return snapshot()


SLOW = ("keys and indexes", "tables")
"""The groups of which only `--stress` repairs all objects: test_repair_sql.py has each of them."""


@pytest.mark.parametrize(
    "group",
    [
        pytest.param(group, marks=pytest.mark.slow_stress if group in SLOW else ())
        for group in GROUPS
    ],
)
def test_the_reviewed_script_brings_the_schema_back(drifted: dict[str, str], group: str) -> None:
    text = GROUPS[group]
    if "stock_on_hand_before" in text:
        ((view,),) = query("SELECT pg_get_viewdef('inventory.stock_on_hand'::regclass)")
        text = text.replace("inventory.stock_on_hand_before", f"({view.rstrip(';')}) AS before")
    execute(text)
    changed = snapshot()

    result = repair_sql("inventory")

    assert result.exit_status == 1
    assert snapshot() == changed  # Nothing was run.
    assert "Not repaired by SQL" not in result.stdout
    done = psql(result.stdout)
    assert done.returncode == 0, done.stderr + result.stdout
    done = psql(reviewed(repair_sql("inventory").stdout))
    assert done.returncode == 0, done.stderr + result.stdout
    after = snapshot()
    assert compare(drifted["inventory"], after["inventory"]) == []
    assert after["public"] == drifted["public"]
    final = repair_sql("inventory")
    assert final.exit_status == 0, final.stdout
    assert "-- There is nothing to repair." in final.stdout


def test_what_was_renamed_gets_its_name_back_with_its_rows(drifted: dict[str, str]) -> None:
    """And a column in the place of one that was dropped is another one."""
    execute("""
        INSERT INTO hr.leave_types (code, name_en, name_th, days_per_year, is_paid)
            VALUES ('A', 'annual', '', 10, true);
        ALTER TABLE hr.leave_types RENAME COLUMN name_en TO english;
        ALTER TABLE hr.leave_types RENAME TO kinds_of_leave;
        ALTER TABLE hr.positions DROP COLUMN is_active, ADD COLUMN is_open boolean NOT NULL;
        CREATE TABLE public.kinds_of_leave (english int);
    """)

    script = repair_sql("hr").stdout

    assert "Not repaired by SQL" not in script
    assert "\nALTER TABLE hr.kinds_of_leave RENAME TO leave_types;\n" in script
    assert "\nALTER TABLE hr.kinds_of_leave RENAME COLUMN english TO name_en;\n" in script
    assert "\n-- ALTER TABLE hr.positions DROP COLUMN is_open;\n" in script
    done = psql(reviewed(script))
    assert done.returncode == 0, done.stderr
    assert query("SELECT name_en FROM hr.leave_types") == [("annual",)]
    assert compare(drifted["hr"], snapshot()["hr"]) == []
    assert query("SELECT english FROM public.kinds_of_leave") == []


def test_nothing_that_is_commented_out_is_run__line_ends(migrated_database: str) -> None:
    for number, end in enumerate(("\n", "\r", "\r\n")):
        trap = f"a{end}CREATE TABLE IF NOT EXISTS public.trap (id int);{end}--"
        execute(f"""
            CREATE TABLE inventory."{trap}" (id int);
            CREATE VIEW inventory.of_trap_{number} AS
                SELECT '{trap}' AS text FROM inventory."{trap}";
            ALTER TABLE inventory.drugs ADD COLUMN "{trap}" int DEFAULT length('{trap}');
        """)
    before = snapshot()

    result = repair_sql("inventory")

    done = psql(result.stdout)
    assert done.returncode == 0, done.stderr + result.stdout
    assert snapshot()["public"] == before["public"]
    assert query("SELECT to_regclass('public.trap')") == [(None,)]


def test_what_rows_stand_in_the_way_of_is_commented_out(drifted: dict[str, str]) -> None:
    """And the history of another tool is not dropped at all."""
    execute(
        "CREATE TABLE hr.knex_migrations"
        " (id serial PRIMARY KEY, name text, batch int, migration_time timestamptz);"
        " ALTER TABLE hr.leave_types ALTER code DROP NOT NULL, ALTER name_en DROP NOT NULL;"
        " INSERT INTO hr.leave_types (name_en, name_th, days_per_year, is_paid)"
        " VALUES ('unpaid', '', 0, false)"
    )
    script = repair_sql("hr").stdout
    assert "hr.knex_migrations" in script
    assert "DROP" not in script
    refused = "-- ALTER TABLE hr.leave_types ALTER COLUMN code SET NOT NULL;"
    reason = "-- Review first: rows have NULL, which need a value first."
    assert f"{reason}\n{refused}" in script
    assert "\nALTER TABLE hr.leave_types ALTER COLUMN name_en SET NOT NULL;" in script
    done = psql(script)
    assert done.returncode == 0, done.stderr
    assert query("SELECT code, name_en FROM hr.leave_types") == [(None, "unpaid")]


def test_large_and_partitioned_tables_are_not_read_under_a_lock(
    migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("CREATE TABLE hr.parted (id int) PARTITION BY RANGE (id)")
    schema = SchemaDefinition.read(connection, "hr")
    facts = RowFacts(connection, schema)
    assert facts.too_large("positions") == facts.too_large("no_such_table") == ""
    assert facts.too_large("parted") == "the table has partitions, which are all locked meanwhile"
    column = schema.objects["column", "hr.positions.code"]
    assert facts.not_null_problem(column) == ""
    monkeypatch.setattr(row_facts, "LARGE", -1)
    problem = "the table has 0 MiB, and nobody can write to it meanwhile"
    assert facts.too_large("positions") == facts.not_null_problem(column) == problem
