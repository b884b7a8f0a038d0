"""`seed_domain` on a distributed domain and on reference tables of core.

The cases are those of a plain server, in a database whose domains are distributed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.seed import test_bad_files as bad_files
from tests.api.seed import test_python_seeds as python_seeds
from tests.api.seed import test_reference_data as reference_data
from tests.api.seed import test_seed_domain as data_files
from tests.api.seed.conftest import Write, counts, fail, seed, seeds
from tests.support import cluster
from tests.support.catalog import execute, query
from tests.support.cluster import CitusServers

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("migrated_database")]

__all__ = ["seeds"]

test_local_changes_are_kept = data_files.test_local_changes_are_kept
test_a_value_equal_to_the_seeds_follows_it_again = (
    data_files.test_a_value_equal_to_the_seeds_follows_it_again
)
test_force_keeps_local_changes = data_files.test_force_runs_unchanged_seeds_and_keeps_local_changes
test_unchanged_seeds_are_skipped = data_files.test_unchanged_seeds_are_skipped
test_rows_that_existed_before_the_file_are_local = (
    data_files.test_rows_that_existed_before_the_file_are_local
)
test_a_row_removed_from_the_file_stays = data_files.test_a_row_removed_from_the_file_stays
test_a_column_added_later = data_files.test_a_column_added_later_fills_empty_values
test_a_row_moves_from_one_file_to_another = data_files.test_a_row_moves_from_one_file_to_another
test_a_row_in_two_files_is_refused = data_files.test_a_row_in_two_files_is_refused
test_a_renamed_file_knows_its_rows = data_files.test_a_renamed_file_knows_its_rows
test_references_by_natural_key = data_files.test_references_by_natural_key
test_sequences_are_left_alone = data_files.test_sequences_are_left_alone
test_zero_clears_the_ledger = data_files.test_zero_clears_the_ledger
test_reverting_the_migration_of_a_table = (
    data_files.test_reverting_the_migration_of_a_table_forgets_its_seeds
)

test_a_bad_row_is_named = bad_files.test_a_row_that_only_the_table_refuses_is_named
test_a_bad_changed_row_is_named = bad_files.test_a_changed_row_that_only_the_table_refuses_is_named

test_a_seed_in_python = python_seeds.test_a_seed_in_python
test_upsert_keeps_local_changes = python_seeds.test_upsert_keeps_local_changes
test_a_seed_beyond_its_boundary_is_refused = python_seeds.test_a_seed_beyond_its_boundary_is_refused
test_writes_core__python = python_seeds.test_writes_core__python
test_writes_core__data = python_seeds.test_writes_core__data
test_a_seed_of_core_may_not_write_domains = python_seeds.test_a_seed_of_core_may_not_write_domains
role = python_seeds.role
test_seeds_run_as_the_domains_role = python_seeds.test_seeds_run_as_the_domains_role
test_a_database_error_in_python = (
    python_seeds.test_a_database_error_in_python_is_reported_with_its_line
)
test_deferred_constraints = python_seeds.test_deferred_constraints_are_checked_in_the_seed

test_reference_data = reference_data.test_reference_data

DEMO = {
    "core": [(22, 0)],
    "inventory": [(94, 0), (16, 0), (57, 0), (48, 12), (37, 18), (35, 23), (31, 8)],
    "hr": [(29, 0), (11, 0), (8, 0), (8, 0)],
    "finance": [(52, 0), (16, 0), (25, 4)],
}
"""The rows that each seed of the sample project inserts and updates on a plain server."""

LEFT_BEHIND = "SELECT logicalrelid FROM pg_dist_partition WHERE logicalrelid::text LIKE '%~%'"
ON_EVERY_NODE = """
SELECT DISTINCT result FROM run_command_on_all_nodes(
    'SELECT string_agg(code || name_en, '','' ORDER BY code) FROM cost_centres')
"""


@pytest.fixture
def migrated_database(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[str]:
    """What the cases of a plain server ask for; here, it is distributed."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.DISTRIBUTED) as name:
        yield name


def test_demo_data_is_counted_as_on_a_plain_server() -> None:
    for domain, expected in DEMO.items():
        result = seed("--tag", "demo", domain=domain)
        assert [(one["inserted"], one["updated"]) for one in result["seeds"]] == expected
    for domain in DEMO:
        again = seed("--tag", "demo", "--force", domain=domain)
        assert {(one["inserted"], one["updated"], one["kept"]) for one in again["seeds"]} == {
            (0, 0, 0)
        }
    assert query("SELECT count(*), min(quantity) >= 0 FROM inventory.stock_levels") == [(19, True)]
    assert query(reference_data.UNEXPLAINED_STOCK) == []
    assert query(reference_data.UNBALANCED_JOURNALS) == []
    assert query(LEFT_BEHIND) == []


def test_rows_of_core_are_the_same_on_every_node(seeds: Write) -> None:
    head = "# model: CostCentre\n# writes_core: true\ncode,name_en,name_th\n"
    seeds("001_centres.csv", head + "A,One,ก\nB,Two,ข\nC,Three,ค\n", "core")
    assert counts(domain="core") == (3, 0, 0)
    execute("UPDATE public.cost_centres SET name_en = 'Ours' WHERE code = 'B'")
    execute("DELETE FROM public.cost_centres WHERE code = 'C'")

    seeds("001_centres.csv", head + "A,1,ก\nB,2,ข\nC,3,ค\nD,4,ง\n", "core")
    assert counts(domain="core") == (1, 1, 2)

    assert query(ON_EVERY_NODE) == [("A1,BOurs,D4",)]
    assert query(LEFT_BEHIND) == []


def test_a_value_that_a_trigger_changes_on_the_node_is_no_local_change(seeds: Write) -> None:
    execute("SET citus.enable_unsafe_triggers = on")
    execute(
        "CREATE FUNCTION inventory.shout() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END'"
    )
    execute(
        "CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON inventory.dosage_forms"
        " FOR EACH ROW EXECUTE FUNCTION inventory.shout()"
    )
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: One}, {code: B, name: Two}]")
    assert counts() == (2, 0, 0)
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: Uno}, {code: B, name: Two}]")
    assert counts() == (0, 2, 0)
    assert query("SELECT name FROM inventory.dosage_forms ORDER BY code") == [("UNO",), ("TWO",)]


def test_the_ledger_goes_on_after_a_crash_of_the_coordinator(seeds: Write) -> None:
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: One}]")
    assert counts() == (1, 0, 0)
    for table in ("django_seeds_inventory", "django_migrations_inventory_journal"):
        execute(f"SELECT setval('inventory.{table}_id_seq', 1, false)")
    seeds("002_forms.yaml", "DosageForm: [{code: B, name: Two}]")
    assert seed()["status"] == "seeded"
    assert query("SELECT count(*) FROM inventory.django_seeds_inventory") == [(2,)]


def test_an_error_names_the_table_and_not_its_shard(seeds: Write) -> None:
    seeds(
        "001_bad.py",
        """
        def seed(context):
            with context.connection.cursor() as cursor:
                cursor.execute("UPDATE inventory.locations SET storage = 'room'")
                cursor.execute("INSERT INTO inventory.dosage_forms (code) VALUES ('A')")
        """,
    )
    assert fail() == (
        'inventory/seeds/001_bad.py, line 5: null value in column "name" of relation'
        ' "dosage_forms" violates not-null constraint.'
    )


def test_what_a_trigger_does_on_the_node_is_refused(seeds: Write) -> None:
    for statement in (
        "SET citus.enable_unsafe_triggers = on",
        "SELECT citus_schema_move('hr', nodename, nodeport, 'block_writes') FROM citus_shards"
        " WHERE table_name = 'inventory.dosage_forms'::regclass AND (nodename, nodeport) NOT IN"
        " (SELECT nodename, nodeport FROM citus_shards"
        " WHERE table_name = 'hr.positions'::regclass)",
        "CREATE FUNCTION inventory.reach() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN DELETE FROM hr.positions; RETURN new; END'",
        "CREATE TRIGGER reach BEFORE INSERT ON inventory.dosage_forms"
        " FOR EACH ROW EXECUTE FUNCTION inventory.reach()",
    ):
        execute(statement)
    seeds("001_forms.yaml", "DosageForm: [{code: A, name: One}]")
    assert fail().startswith(
        "The seed inventory/seeds/001_forms.yaml is refused: it took RowExclusiveLock on"
        ' hr.positions, which belongs to the domain "hr".'
    )
    assert query("SELECT count(*) FROM inventory.dosage_forms") == [(0,)]
