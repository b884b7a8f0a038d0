"""The seeds that the sample domains ship."""

from __future__ import annotations

import json
import random

import pytest

from tests.seeds.conftest import seed
from tests.support.catalog import query
from tests.support.commands import call

DOMAINS = ["core", "inventory", "hr", "finance"]
TABLES = {
    "public.roles": 10,
    "public.cost_centres": 12,
    "inventory.dosage_forms": 36,
    "inventory.drug_units": 27,
    "inventory.budget_types": 7,
    "inventory.budget_categories": 7,
    "inventory.budgets": 6,
    "inventory.locations": 11,
    "inventory.companies": 16,
    "hr.positions": 20,
    "hr.leave_types": 9,
    "finance.accounts": 52,
}


@pytest.mark.usefixtures("migrated_database")
def test_reference_data() -> None:
    """In production's way: without any tag, each domain by itself."""
    for domain in reversed(DOMAINS):
        result = json.loads(
            call("seed_domain", domain, "--tag", "production", "--format", "json").stdout
        )
        assert result["status"] == "seeded", result["error"]
        assert not any(one["updated"] or one["kept"] for one in result["seeds"])
        assert [one["name"] for one in result["seeds"] if one["status"] == "skipped"] == [
            one["name"] for one in result["seeds"] if one["name"].startswith("9")
        ]
    assert {table: query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == TABLES
    thai = "SELECT count(*) FROM {} WHERE NOT {} ~ '[ก-๙]'"
    for table, column in (
        ("finance.accounts", "name_th"),
        ("hr.positions", "title_th"),
        ("public.cost_centres", "name_th"),
        ("public.roles", "name"),
        ("inventory.dosage_forms", "name"),
    ):
        assert query(thai.format(table, column)) == [(0,)]
    assert query("SELECT count(*) FROM finance.accounts WHERE parent_id IS NULL") == [(5,)]


@pytest.mark.usefixtures("migrated_database")
def test_demo_data() -> None:
    """In whatever order the domains are seeded, and again."""
    random.Random(2568).shuffle(domains := list(DOMAINS))
    for domain in domains:
        assert seed("--tag", "demo", domain=domain)["status"] == "seeded"
    for domain in domains:
        again = seed("--tag", "demo", "--force", domain=domain)
        assert {(one["inserted"], one["updated"], one["kept"]) for one in again["seeds"]} <= {
            (0, 0, 0)
        }
    assert query("SELECT count(*), min(quantity) > 0 FROM inventory.stock_levels") == [(12, True)]
    assert query("SELECT sum(debit) = sum(credit) FROM finance.journal_lines") == [(True,)]
    assert query("SELECT count(*) FROM hr.assignments") == [(8,)]
    assert query("SELECT password FROM public.users WHERE username = 'demo'") == [("!",)]
