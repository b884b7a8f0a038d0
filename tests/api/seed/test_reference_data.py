"""The seeds that the sample domains ship."""

from __future__ import annotations

import json
import random

import pytest

from tests.api.seed.conftest import seed
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

DEMONSTRATED = (
    *("inventory.contracts", "inventory.contract_items", "inventory.purchase_requests"),
    *("inventory.purchase_request_items", "inventory.purchase_orders"),
    *("inventory.purchase_order_items", "inventory.receipts", "inventory.receipt_items"),
    *("inventory.receipt_inspectors", "inventory.budget_reservations"),
    *("inventory.budget_plans", "inventory.budget_requests", "inventory.budget_request_items"),
    *("inventory.budget_request_comments", "inventory.budget_request_audits"),
    *("hr.leave_requests", "finance.invoices", "finance.invoice_lines", "finance.payments"),
)
UNEXPLAINED_STOCK = """
SELECT location_id, lot_id, sum(quantity) FROM (
    SELECT location_id, lot_id, quantity FROM inventory.stock_levels
    UNION ALL SELECT location_id, lot_id, -quantity FROM inventory.stock_transactions
) AS both_sides GROUP BY 1, 2 HAVING sum(quantity) <> 0
"""
UNBALANCED_JOURNALS = """
SELECT journal_id FROM finance.journal_lines GROUP BY 1 HAVING sum(debit) <> sum(credit)
"""
LEAVE_THAT_IS_NOT_IN_THE_BALANCE = """
SELECT b.id FROM hr.leave_balances b LEFT JOIN hr.leave_requests r
  ON r.employee_id = b.employee_id AND r.leave_type_id = b.leave_type_id
 AND extract(year FROM r.starts_on) = b.year AND r.status = 'approved'
GROUP BY b.id HAVING b.used_days <> coalesce(sum(r.days), 0)
"""
INVOICED = """
SELECT c.code, o.number FROM finance.invoices i
JOIN inventory.companies c ON c.id = i.supplier_id
JOIN inventory.purchase_orders o ON o.id = i.purchase_order_id AND o.vendor_id = c.id
WHERE i.journal_id IS NOT NULL ORDER BY 1
"""
DELIVERED = """
SELECT r.number, i.status FROM inventory.receipts r
JOIN finance.invoices i ON i.id = r.finance_invoice_id AND i.purchase_order_id = r.order_id
ORDER BY 1
"""
INSPECTED = """
SELECT DISTINCT e.employee_number FROM inventory.receipt_inspectors i
JOIN hr.employees e ON e.id = i.employee_id ORDER BY 1
"""
LOCATED = """
SELECT e.employee_number, l.code FROM hr.assignments a
JOIN hr.employees e ON e.id = a.employee_id
JOIN inventory.locations l ON l.id = a.location_id ORDER BY 1
"""


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
    assert query("SELECT count(*), min(quantity) >= 0 FROM inventory.stock_levels") == [(19, True)]
    assert query(UNEXPLAINED_STOCK) == []
    assert query(UNBALANCED_JOURNALS) == []
    assert query(LEAVE_THAT_IS_NOT_IN_THE_BALANCE) == []
    assert query("SELECT count(*) FROM hr.assignments") == [(8,)]
    assert query("SELECT DISTINCT password FROM public.users WHERE username ~ '^demo'") == [("!",)]
    for table in DEMONSTRATED:
        ((rows,),) = query(f"SELECT count(*) FROM {table}")
        assert rows > 0, table
    # The ids of other domains' rows are those of the rows that are meant.
    assert query(INVOICED) == [("BERLIN", "PO-2570-0002"), ("GPO", "PO-2570-0001")]
    assert query(DELIVERED) == [("RC-2570-0001", "paid"), ("RC-2570-0002", "approved")]
    assert query(INSPECTED) == [("900001",), ("900003",)]
    assert query(LOCATED) == [("900003", "OPD"), ("900004", "WH")]
