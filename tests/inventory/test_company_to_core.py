"""The sample project's companies move to core by the command: the files, and the databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import databases
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import run_manage
from tests.support.sample_copy import SampleCopy
from tests.support.servers import TestServer

ROWS = """
INSERT INTO auth_group (id, name) VALUES (77, 'buyers');
INSERT INTO auth_group_permissions (group_id, permission_id)
    SELECT 77, id FROM auth_permission WHERE codename = 'change_company';
INSERT INTO users (id, password, is_superuser, username, first_name, last_name, email, is_staff,
    is_active, date_joined)
    VALUES (gen_random_uuid(), '', true, 'ada', '', '', 'ada@example.org', true, true, now());
INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message,
    content_type_id, user_id) SELECT now(), '1', 'GPO', 2, '', c.id, u.id
    FROM django_content_type c, users u WHERE c.model = 'company' AND u.username = 'ada';
"""
POINTING = """
SELECT c.app_label, c.model, count(DISTINCT l.id), count(DISTINCT g.group_id)
FROM django_content_type c JOIN auth_permission p ON p.content_type_id = c.id
LEFT JOIN django_admin_log l ON l.content_type_id = c.id
LEFT JOIN auth_group_permissions g ON g.permission_id = p.id
WHERE c.model = 'company' GROUP BY 1, 2
"""
KEYS = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid = to_regclass(%s) ORDER BY 1
"""


VIEW = "CREATE VIEW inventory.company_codes AS SELECT code FROM inventory.companies"
TEXT = """\
Transfer inventory.Company to core.Company (core)
Tables:
  inventory.companies to public.companies
Migrations:
  core.0007_receive_company
  inventory.0021_transfer_company
  finance.0014_alter_invoice_supplier_id
References that may become foreign keys afterwards:
  finance.Invoice.supplier_id
"""
FILES = {
    "core/migrations/0007_receive_company.py",
    "core/migrations/max_migration.txt",
    "core/models/__init__.py",
    "core/models/company.py",
    "core/seeds/002_companies.csv",
    "finance/migrations/0014_alter_invoice_supplier_id.py",
    "finance/migrations/max_migration.txt",
    "finance/models/invoices.py",
    "inventory/admin/places.py",
    "inventory/migrations/0021_transfer_company.py",
    "inventory/migrations/max_migration.txt",
    "inventory/models/__init__.py",
    "inventory/models/catalogue.py",
    "inventory/models/contracts.py",
    "inventory/models/places.py",
    "inventory/models/purchasing.py",
    "inventory/seeds/002_companies.csv",
    "inventory/seeds/920_demo_purchasing.py",
    "inventory/services/purchasing.py",
}
MOVE = ("transfer_model", "inventory.Company", "core")


@pytest.fixture
def copy(postgres_server: TestServer, scratch_database: str, tmp_path: Path) -> SampleCopy:
    """The project's copy, and an empty database."""
    return SampleCopy(tmp_path / "copy", postgres_server, scratch_database)


@pytest.fixture
def used(
    postgres_server: TestServer, migrated_template: str, tmp_path: Path, django_db_blocker: Any
) -> Any:
    """The project's copy, and a database of the project as it was, with rows."""
    with databases.connected(
        postgres_server, django_db_blocker, template=migrated_template
    ) as name:
        for domain in ("core", "inventory"):
            seeded = run_manage(
                "seed_domain", domain, environment=postgres_server.environment(name)
            )
            assert seeded.returncode == 0, seeded.stdout + seeded.stderr
        execute(ROWS)
        yield SampleCopy(tmp_path / "copy", postgres_server, name)


def _is_whole(copy: SampleCopy, *, seeded: bool) -> None:
    copy.run("makemigrations", "--check", "--dry-run")
    copy.run("migrate_domain", "--all")
    assert copy.run("verify_domain").strip() == "Nothing found."
    keys = query(KEYS, "public.companies")
    assert [table for table, _ in keys] == [
        "inventory.contracts",
        "inventory.drugs",
        "inventory.purchase_orders",
    ]
    if seeded:
        assert "core: nothing to do" in copy.run("seed_domain", "core")


def test_a_database_with_rows(used: SampleCopy) -> None:
    used.run(*MOVE, "--noinput")
    execute(VIEW)
    before, rows = snapshot(), query("SELECT * FROM inventory.companies ORDER BY id")
    assert rows
    used.run("migrate_domain", "inventory", "--rehearse")
    assert snapshot() == before
    used.run("migrate_domain", "inventory")
    assert query("SELECT * FROM public.companies ORDER BY id") == rows
    assert query(POINTING) == [("core", "company", 1, 1)]
    used.run("migrate_domain", "core", "core.0006", "--noinput")
    assert snapshot() == before
    assert query(POINTING) == [("inventory", "company", 1, 1)]
    assert query("SELECT * FROM inventory.companies ORDER BY id") == rows
    used.run("migrate_domain", "core")
    assert query("SELECT count(*) FROM inventory.company_codes") == [(len(rows),)]
    execute("DROP VIEW inventory.company_codes")
    _is_whole(used, seeded=True)
    assert query("SELECT * FROM public.companies ORDER BY id") == rows


@pytest.mark.slow_stress
def test_an_empty_database(copy: SampleCopy) -> None:
    copy.run(*MOVE, "--noinput")
    copy.run("migrate")
    _is_whole(copy, seeded=False)
    before = snapshot()
    copy.run("migrate_domain", "inventory", "0020", "--noinput")
    assert query(KEYS, "public.companies") == []
    copy.run("migrate_domain", "--all")
    assert snapshot() == before
    copy.run("seed_domain", "core")
    # Those before the table changes hands, whatever the server's version writes of them.
    assert "20 migrations" in copy.run("snapshot_domain", "inventory")


def test_the_files(copy: SampleCopy) -> None:
    before = copy.contents()
    shown = copy.run(*MOVE, "--dry-run")
    assert shown.startswith(TEXT)
    assert shown.endswith("Nothing was written.\n")
    assert copy.contents() == before

    result = json.loads(copy.run(*MOVE, "--format", "json", "--noinput"))
    assert set(result["files"]) == FILES
    assert (result["model"], result["to"]) == ("inventory.Company", "core.Company")
    assert result["written"] is True
    assert [result["conversions"], result["by_hand"], result["blockers"]] == [[], [], []]
    assert [offer["field"] for offer in result["offers"]] == ["supplier_id"]
    assert result["live"] == {
        "database": "default",
        "present": False,
        "followers": [],
        "objects": [],
    }
    after = copy.contents()
    changed = {name for name in before.keys() | after if before.get(name) != after.get(name)}
    assert changed == FILES
    seeds = "seeds/002_companies.csv"
    assert after[f"core/{seeds}"] == before[f"inventory/{seeds}"]
    assert after["inventory/migrations/max_migration.txt"] == b"0021_transfer_company\n"
    again = copy.manage(*MOVE)
    assert again.returncode == 2
    assert again.stderr == (
        'CommandError: There is no model "inventory.Company". Did you mean "core.Company"?\n'
    )
