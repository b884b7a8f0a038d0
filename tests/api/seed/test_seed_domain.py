"""`seed_domain`: the rows of a file in the tables, and the local changes that it keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from tests.api.seed.conftest import Write, counts, fail, forms, seed
from tests.support.catalog import HISTORIES, execute, query, tables
from tests.support.commands import call

pytestmark = pytest.mark.usefixtures("migrated_database")

FORMS = "DosageForm:\n- {code: TAB, name: Tablet}\n- {code: CAP, name: Capsule}\n"
LEDGER = "SELECT name, inserted, updated, kept FROM inventory.django_seeds_inventory ORDER BY name"
JOURNAL = (
    "SELECT name, status, batch, details FROM inventory.django_migrations_inventory_journal"
    " WHERE direction = 'seed' ORDER BY id"
)
DECOY = "CREATE TABLE public.dosage_forms (id int, code text, name text)"


def test_local_changes_are_kept(seeds: Write) -> None:
    seeds(
        "001_locations.yaml",
        """
        Location:
        - {code: A, name: Store, storage: room}
        - {code: B, name: Fridge, storage: cold}
        - {code: C, name: Ward, storage: room}
        - {code: D, name: Attic, storage: room}
        """,
    )
    execute(DECOY)
    assert counts() == (4, 0, 0)
    execute("UPDATE inventory.locations SET name = 'Our store' WHERE code = 'A'")
    execute("DELETE FROM inventory.locations WHERE code = 'D'")
    execute(
        "INSERT INTO inventory.locations (code, name, kind, storage, is_active)"
        " VALUES ('OWN', 'Own', 'ward', 'room', true)"
    )
    before = query("SELECT id, code FROM inventory.locations WHERE code IN ('A', 'B') ORDER BY 2")

    seeds(
        "001_locations.yaml",
        """
        Location:
        - {code: A, name: Main store, storage: cool}
        - {code: B, name: Refrigerator, storage: cold}
        - {code: C, name: Ward, storage: room}
        - {code: D, name: Loft, storage: room}
        - {code: E, name: Theatre, storage: room}
        """,
    )
    assert counts() == (1, 2, 2)

    assert query("SELECT code, name, storage FROM inventory.locations ORDER BY code") == [
        ("A", "Our store", "cool"),
        ("B", "Refrigerator", "cold"),
        ("C", "Ward", "room"),
        ("E", "Theatre", "room"),
        ("OWN", "Own", "room"),
    ]
    after = query("SELECT id, code FROM inventory.locations WHERE code IN ('A', 'B') ORDER BY 2")
    assert after == before
    assert query(LEDGER) == [("001_locations.yaml", 1, 2, 2)]
    assert query(JOURNAL) == [
        ("001_locations.yaml", "done", 0, '{"kept": 0, "updated": 0, "inserted": 4}'),
        ("001_locations.yaml", "done", 0, '{"kept": 2, "updated": 2, "inserted": 1}'),
    ]
    assert query("SELECT count(*) FROM public.dosage_forms") == [(0,)]


def test_a_value_equal_to_the_seeds_follows_it_again(seeds: Write) -> None:
    """Once the site's value is the seed's, the site has no change of its own any more."""
    seeds("001_forms.yaml", "DosageForm: [{code: TAB, name: One}]")
    seed()
    execute("UPDATE inventory.dosage_forms SET name = 'Mine'")
    seeds("001_forms.yaml", "DosageForm: [{code: TAB, name: Two}]")
    assert counts() == (0, 0, 1)
    execute("UPDATE inventory.dosage_forms SET name = 'Two'")
    seeds("001_forms.yaml", "DosageForm: [{code: TAB, name: Three}]")
    assert counts() == (0, 1, 0)
    assert forms() == {"TAB": "Three"}


def test_a_value_that_a_trigger_changes_is_no_local_change(seeds: Write) -> None:
    execute(
        "CREATE FUNCTION inventory.shout() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN IF NEW.code = ''NO'' THEN RETURN NULL; END IF;"
        " NEW.name := upper(NEW.name); RETURN NEW; END'"
    )
    execute(
        "CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON inventory.dosage_forms"
        " FOR EACH ROW EXECUTE FUNCTION inventory.shout()"
    )
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,One\nB,Two\nNO,Three\n")
    assert counts() == (2, 0, 1)
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,Uno\nB,Two\nNO,Three\n")
    assert counts() == (0, 2, 1)
    assert forms() == {"A": "UNO", "B": "TWO"}


def test_a_value_that_the_trigger_of_an_inheriting_table_changes(seeds: Write) -> None:
    execute(
        "CREATE FUNCTION inventory.shout() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END'"
    )
    execute("CREATE TABLE inventory.kid () INHERITS (inventory.dosage_forms)")
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,One\n")
    assert counts() == (1, 0, 0)
    execute(
        "WITH gone AS (DELETE FROM ONLY inventory.dosage_forms RETURNING *)"
        " INSERT INTO inventory.kid SELECT * FROM gone"
    )
    execute(
        "CREATE TRIGGER shout BEFORE UPDATE ON inventory.kid"
        " FOR EACH ROW EXECUTE FUNCTION inventory.shout()"
    )
    for name in ("Uno", "Due"):
        seeds("001_forms.csv", f"# model: DosageForm\ncode,name\nA,{name}\n")
        assert counts() == (0, 1, 0)
        assert forms() == {"A": name.upper()}


def test_unique_values_are_taken_over_in_the_files_order(seeds: Write) -> None:
    execute("CREATE UNIQUE INDEX forms_name ON inventory.dosage_forms (name)")
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,1\nB,2\nC,3\nD,4\nE,5\n")
    assert counts() == (5, 0, 0)
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nE,6\nD,5\nC,4\nB,3\nA,2\n")
    assert counts() == (0, 5, 0)
    assert forms() == {"A": "2", "B": "3", "C": "4", "D": "5", "E": "6"}


def test_a_text_whose_column_is_one_of_an_enum(seeds: Write) -> None:
    execute("CREATE TYPE inventory.kind AS ENUM ('One', 'Two', 'Three')")
    execute(
        "ALTER TABLE inventory.dosage_forms ALTER name TYPE inventory.kind"
        " USING name::inventory.kind"
    )
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,One\nB,One\n")
    assert counts() == (2, 0, 0)
    execute("UPDATE inventory.dosage_forms SET name = 'Three' WHERE code = 'B'")
    assert counts("--force") == (0, 0, 1)
    seeds("001_forms.csv", "# model: DosageForm\ncode,name\nA,Two\nB,Two\n")
    assert counts() == (0, 1, 1)
    assert forms() == {"A": "Two", "B": "Three"}


def test_rows_in_one_line_are_told_apart(seeds: Write) -> None:
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: One}, {code: B, name: Two}]")
    seed()
    execute("UPDATE inventory.dosage_forms SET name = 'Ours' WHERE code = 'B'")
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: Uno}, {code: B, name: Due}]")
    assert counts() == (0, 1, 1)
    assert forms() == {"A": "Uno", "B": "Ours"}


def test_unchanged_seeds_are_skipped(seeds: Write) -> None:
    path = seeds("001_forms.yaml", FORMS)
    assert counts() == (2, 0, 0)
    execute("DELETE FROM inventory.dosage_forms")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    result = seed()

    assert (result["status"], result["seeds"][0]["status"]) == ("unchanged", "unchanged")
    assert forms() == {}


def test_force_runs_unchanged_seeds_and_keeps_local_changes(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    execute("DELETE FROM inventory.dosage_forms WHERE code = 'TAB'")
    execute("UPDATE inventory.dosage_forms SET name = 'Mine'")

    assert counts("--force") == (0, 0, 2)
    assert forms() == {"CAP": "Mine"}


def test_rows_that_existed_before_the_file_are_local(seeds: Write) -> None:
    execute("INSERT INTO inventory.dosage_forms (code, name) VALUES ('TAB', 'Ours')")
    seeds("001_forms.yaml", FORMS)
    assert counts() == (1, 0, 1)
    seeds("001_forms.yaml", FORMS.replace("Tablet", "Pill").replace("Capsule", "Cap"))
    assert counts() == (0, 1, 1)
    assert forms() == {"TAB": "Ours", "CAP": "Cap"}


def test_a_row_removed_from_the_file_stays(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    seeds("001_forms.yaml", "DosageForm: [{code: CAP, name: Capsule}]")
    assert counts() == (0, 0, 0)
    assert forms() == {"TAB": "Tablet", "CAP": "Capsule"}
    seeds("001_forms.yaml", FORMS.replace("Tablet", "Pill"))
    assert counts() == (0, 1, 0)
    assert forms()["TAB"] == "Pill"


def test_a_column_added_later_fills_empty_values(seeds: Write) -> None:
    seeds("001_companies.csv", "# model: Company\ncode,name\nA,A\nB,B\n")
    seed()
    execute("UPDATE inventory.companies SET phone = '1' WHERE code = 'A'")
    seeds("001_companies.csv", "# model: Company\ncode,name,phone\nA,A,22\nB,B,22\n")
    assert counts() == (0, 1, 1)
    assert query("SELECT code, phone FROM inventory.companies ORDER BY 1") == [
        ("A", "1"),
        ("B", "22"),
    ]


def test_a_row_moves_from_one_file_to_another(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_more.yaml", "DosageForm: [{code: GEL, name: Gel}]")
    seed()
    execute("UPDATE inventory.dosage_forms SET name = 'Mine' WHERE code = 'CAP'")
    seeds("001_forms.yaml", "DosageForm: [{code: TAB, name: Tablet}]")
    seeds("002_more.yaml", "DosageForm: [{code: GEL, name: Gel}, {code: CAP, name: New}]")
    assert counts() == (0, 0, 1)
    assert forms()["CAP"] == "Mine"


def test_a_row_in_two_files_is_refused(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_more.yaml", "DosageForm:\n- {code: GEL, name: Gel}\n- {code: CAP, name: Other}\n")
    assert fail() == (
        "inventory/seeds/002_more.yaml, line 3: the row is in inventory/seeds/001_forms.yaml too;"
        " keep it in one of them."
    )
    assert forms() == {"TAB": "Tablet", "CAP": "Capsule"}
    assert query(LEDGER) == [("001_forms.yaml", 2, 0, 0)]


def test_a_renamed_file_knows_its_rows(seeds: Write) -> None:
    path = seeds("001_forms.yaml", FORMS)
    seed()
    execute("UPDATE inventory.dosage_forms SET name = 'Mine' WHERE code = 'CAP'")
    path.unlink()
    seeds("005_forms.json", '{"DosageForm": [{"code": "CAP", "name": "New"}]}')
    assert counts() == (0, 0, 1)
    assert forms()["CAP"] == "Mine"


def test_references_by_natural_key(seeds: Write) -> None:
    seeds(
        "001_centres.json",
        '{"CostCentre": [{"code": "PH", "name_en": "P", "name_th": "P"}]}',
        "core",
    )
    assert counts(domain="core") == (1, 0, 0)
    seeds(
        "001_all.yaml",
        """
        Location:
        - {code: SHELF, name: Shelf, parent: ROOM}
        - {code: ROOM, name: Room, parent: HOUSE}
        - {code: HOUSE, name: House}
        Department: [{code: MED, name: Medicine, cost_centre: PH, location: SHELF}]
        DosageForm: [{code: TAB, name: Tablet}]
        DrugUnit: [{code: TAB, name: tablet}, {code: MG, name: mg}]
        DrugGeneric:
        - {working_code: "0000001", name: Para, dosage_form: TAB, issue_unit: TAB}
        DrugComponent:
        - {generic: "0000001", position: 1, substance: Para, amount: 0.50, unit: {code: MG}}
        - {generic: [0000001], position: 2, substance: Salt, amount: 1.25, unit: MG}
        """,
    )
    assert counts() == (10, 0, 0)
    rows = query(
        "SELECT l.code, p.code FROM inventory.locations l"
        " LEFT JOIN inventory.locations p ON p.id = l.parent_id ORDER BY l.id"
    )
    assert rows == [("HOUSE", None), ("ROOM", "HOUSE"), ("SHELF", "ROOM")]
    assert query(
        "SELECT c.code, l.code FROM inventory.departments d"
        " JOIN public.cost_centres c ON c.id = d.cost_centre_id"
        " JOIN inventory.locations l ON l.id = d.location_id"
    ) == [("PH", "SHELF")]
    # A key that has a reference in it.
    seeds(
        "002_components.csv",
        "# model: DrugComponent\n"
        "generic__working_code,position,substance,amount,unit__code\n"
        "0000001,3,Sugar,2.5,MG\n",
    )
    assert counts() == (1, 0, 0)


def test_sequences_are_left_alone(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    execute("INSERT INTO inventory.dosage_forms (code, name) VALUES ('X', 'X')")
    assert query("SELECT code, id FROM inventory.dosage_forms ORDER BY id") == [
        ("TAB", 1),
        ("CAP", 2),
        ("X", 3),
    ]


def test_zero_clears_the_ledger(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    assert call("migrate_domain", "inventory", "zero", interactive=False).exit_status == 0
    assert query(LEDGER) == []
    assert query("SELECT count(*) FROM inventory.django_seeds_inventory_rows") == [(0,)]
    assert fail().startswith(
        'The domain "inventory" has pending migrations: inventory.0001_initial'
    )
    call("migrate_domain", "inventory", interactive=False)
    assert counts() == (2, 0, 0)


def test_a_faked_zero_leaves_the_rows_and_so_the_ledger(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    execute("UPDATE inventory.dosage_forms SET name = 'Ours' WHERE code = 'TAB'")
    for target in (["zero", "--fake"], ["--fake"]):
        call("migrate_domain", "inventory", *target, interactive=False)
        assert query(LEDGER) == [("001_forms.yaml", 2, 0, 0)]
    assert seed()["status"] == "unchanged"
    seeds("001_forms.yaml", FORMS.replace("Tablet", "Pill"))
    assert counts() == (0, 0, 1)
    assert forms() == {"TAB": "Ours", "CAP": "Capsule"}


def test_seeds_of_tables_dropped_by_hand_are_forgotten_when_a_run_creates_them_again(
    seeds: Write,
) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    execute(DECOY)
    call("migrate_domain", "inventory", "zero", "--fake", interactive=False)
    names = query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'inventory'::regnamespace"
        " AND relkind = 'r' AND relname !~ '^django_'"
    )
    for (name,) in names:
        execute(f'DROP TABLE inventory."{name}" CASCADE')
    for (routine,) in query(
        "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'inventory'::regnamespace"
    ):
        execute(f"DROP ROUTINE {routine}")
    done = call("migrate_domain", "inventory", interactive=False)
    assert done.exit_status == 0, done.stderr
    assert query(LEDGER) == []
    assert query("SELECT count(*) FROM inventory.django_seeds_inventory_rows") == [(0,)]
    assert counts() == (2, 0, 0)
    assert forms() == {"TAB": "Tablet", "CAP": "Capsule"}
    assert query("SELECT count(*) FROM public.dosage_forms") == [(0,)]


def test_reverting_the_migration_of_a_table_forgets_its_seeds(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_budgets.yaml", "BudgetType: [{code: GOV, name: Gov}]")
    seed()
    assert call("migrate_domain", "inventory", "0002", interactive=False).exit_status == 0
    assert query(LEDGER) == [("001_forms.yaml", 2, 0, 0)]
    call("migrate_domain", "inventory", interactive=False)
    assert counts() == (1, 0, 0)
    assert query("SELECT code FROM inventory.budget_types") == [("GOV",)]


def test_flush_clears_the_ledger(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seed()
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
    assert forms() == {}
    assert query(LEDGER) == []
    assert counts() == (2, 0, 0)


def test_plan_writes_nothing(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_demo.yaml", "tags: demo\nDrugUnit: [{code: MG, name: mg}]")
    before = tables("inventory")

    result = call("seed_domain", "inventory", "--plan")

    assert result.stdout == (
        "  inventory/seeds/001_forms.yaml: pending\n"
        "  inventory/seeds/002_demo.yaml: skipped, its tags are demo\n"
        "inventory: 1 to seed\n"
    )
    assert tables("inventory") == before
    assert forms() == {}


@pytest.mark.usefixtures("seeds")
def test_a_domain_without_seeds() -> None:
    assert call("seed_domain", "hr").stdout == "hr: nothing to do\n"


def test_plan_works_on_an_empty_database(seeds: Write, scratch_database: str) -> None:
    seeds("001_forms.yaml", FORMS)
    assert seed("--plan")["status"] == "planned"
    assert query("SELECT count(*) FROM pg_namespace WHERE nspname = 'inventory'") == [(0,)]
    sentence = fail()
    assert sentence.startswith('The domain "core" has pending migrations: admin.0001_initial,')
    assert sentence.endswith("more. First run: manage.py migrate_domain core")


def test_the_tables_of_the_engine_are_not_drift(seeds: Write) -> None:
    before = call("show_domains", "inventory").stdout
    seeds("001_forms.yaml", FORMS)
    seed()
    assert call("verify_domain", "inventory").exit_status == 0
    assert call("show_domains", "inventory").stdout == before


def test_tags(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_demo.yaml", "tags: [demo, test]\nDosageForm: [{code: DEMO, name: Demo}]")
    seeds("003_live.csv", "# model: DosageForm\n# tags: production\ncode,name\nLIVE,Live\n")
    seeds("004_code.py", "tags = ['test']\n\ndef seed(context):\n    raise RuntimeError\n")
    assert [one["status"] for one in seed()["seeds"]] == ["seeded", *["skipped"] * 3]
    with override_settings(DOMAIN_MIGRATIONS={"SEED_TAGS": ["production"]}):
        assert seed()["tags"] == ["production"]
        assert set(forms()) == {"TAB", "CAP", "LIVE"}
        assert [one["status"] for one in seed("--tag", "demo", "--plan")["seeds"]] == [
            "unchanged", "pending", "skipped", "skipped",
        ]  # fmt: skip
        assert fail("--only", "002_demo") == (
            "inventory/seeds/002_demo.yaml is for demo and test, and this is production."
            " Add --tag demo if it has to run here."
        )
    with override_settings(DOMAIN_MIGRATIONS={"SEED_TAGS": ["prod"]}):
        assert fail() == (
            'There is no tag "prod" for seeds. The tags of'
            ' DOMAIN_MIGRATIONS["SEED_TAGS"] and --tag are demo, test, production.'
        )
    seeds("002_demo.yaml", "tags: [staging]\nDosageForm: []")
    assert fail() == (
        'inventory/seeds/002_demo.yaml: there is no tag "staging"; the tags are demo, test,'
        " production."
    )


def test_only(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_units.yaml", "DrugUnit: [{code: MG, name: mg}]")
    assert [one["name"] for one in seed("--only", "002_units")["seeds"]] == ["002_units.yaml"]
    assert forms() == {}
    assert fail("--only", "003") == (
        'The domain "inventory" has no seed "003". Its seeds are: 001_forms.yaml, 002_units.yaml.'
    )
    assert fail("--only", "00") == (
        '"00" may be inventory/seeds/001_forms.yaml or inventory/seeds/002_units.yaml. Give more of'
        " the name."
    )
    assert counts("--only", "001_forms.yaml") == (2, 0, 0)


def test_json(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    result = seed()
    for values in (result, *result["seeds"]):
        values.pop("seconds")
    result.pop("run")
    assert result == {
        "format": 1,
        "database": "default",
        "domain": "inventory",
        "schema": "inventory",
        "seed_table": "inventory.django_seeds_inventory",
        "tags": [],
        "status": "seeded",
        "seeds": [
            {
                "app": "inventory",
                "name": "001_forms.yaml",
                "status": "seeded",
                "tags": [],
                "inserted": 2,
                "updated": 0,
                "kept": 0,
            }
        ],
        "error": None,
    }


def test_json__failed(seeds: Write) -> None:
    seeds("001_forms.yaml", FORMS)
    seeds("002_forms.yaml", "DosageForm: [{code: X}]")
    result = call("seed_domain", "inventory", "--format", "json")
    assert result.exit_status == 1
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["status"] == "failed"
    assert [one["status"] for one in found["seeds"]] == ["seeded", "failed"]
    assert found["error"] == {
        "code": "seed_failed",
        "message": "inventory/seeds/002_forms.yaml, line 1: inventory.DosageForm.name has no"
        " default, so every row has to have it.",
        "hint": "Nothing of this file was kept; correct it.",
        "sqlstate": None,
    }
    assert query(JOURNAL)[1][:2] == ("002_forms.yaml", "failed")


def test_an_unknown_domain(seeds: Write) -> None:
    assert fail(domain="inventorry", status=2) == (
        'There is no domain "inventorry". Did you mean "inventory"?'
        f" The domains are {', '.join(HISTORIES)}."
    )
    result = json.loads(call("seed_domain", "inventorry", "--format", "json").stdout)
    assert (result["status"], result["domain"], result["schema"]) == ("refused", "inventorry", None)
    assert result["error"]["code"] == "unknown_domain"
