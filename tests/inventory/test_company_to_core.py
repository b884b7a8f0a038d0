"""The sample project after its companies have moved to core: the copy, and its databases."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import databases
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import ROOT, run_manage
from tests.support.servers import TestServer

PARTS = ("config", "core", "domain_migrations", "finance", "hr", "inventory", "manage.py")
GIVES, GETS = "0020_transfer_company", "0007_receive_company"
TABLES = """{'"inventory"."companies"': "companies"}"""
TRANSFER = f"""
from django.db import migrations

from domain_migrations.operations import TransferTable


class Migration(migrations.Migration):
    dependencies = [("inventory", "0019_invoice_reference"), ("core", "{GETS}")]
    operations = [
        TransferTable(name="Company", pair="core.{GETS}", tables={TABLES}),
    ]
"""
RECEIVE = f"""
import django.core.validators
from django.db import migrations, models

from domain_migrations.operations import ReceiveTable


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_alter_verbose_names"),
        ("inventory", "0019_invoice_reference"),
    ]
    operations = [
        ReceiveTable(
            name="Company",
            pair="inventory.{GIVES}",
            tables={TABLES},
            fields=FIELDS,
            options=OPTIONS,
        ),
    ]
"""
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


class Copy:
    """A copy of the sample project in which `Company` is core's."""

    def __init__(self, path: Path, server: TestServer, database: str) -> None:
        self.path, self.environment = path, server.environment(database)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, path / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, path / part)
        self._move_model()
        self._write_pair()
        done = self.manage("makemigrations", "finance", "--name", "supplier_in_core")
        assert done.returncode == 0, done.stdout + done.stderr

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_manage(*arguments, environment=self.environment, folder=self.path)

    def run(self, *arguments: str, status: int = 0) -> str:
        result = self.manage(*arguments)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout

    def _edit(self, name: str, old: str, new: str) -> None:
        path = self.path / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new))

    def _move_model(self) -> None:
        places = self.path / "inventory/models/places.py"
        source = places.read_text()
        (node,) = [
            each
            for each in ast.parse(source).body
            if isinstance(each, ast.ClassDef) and each.name == "Company"
        ]
        lines = source.splitlines(keepends=True)
        text = "".join(lines[node.lineno - 1 : node.end_lineno])
        head = "".join(lines[: lines.index("from django.db.models import Q\n") + 1])
        end = "from django.db.models import Q\n"
        rest = source.replace(text, "").replace(end, f"{end}\nfrom core.models import Company\n")
        places.write_text(rest)
        moved = text.replace('\'"inventory"."companies"\'', '"companies"')
        (self.path / "core/models/companies.py").write_text(f"{head}\n\n{moved}")
        self._edit(
            "core/models/__init__.py",
            "from .lookups import CostCentre\n",
            "from .companies import Company\nfrom .lookups import CostCentre\n",
        )
        self._edit("core/models/__init__.py", '"CostCentre",', '"Company", "CostCentre",')
        self._edit("finance/models/invoices.py", "inventory.Company", "core.Company")
        seeds = "seeds/002_companies.csv"
        (self.path / "inventory" / seeds).rename(self.path / "core" / seeds)

    def _write_pair(self) -> None:
        source = (self.path / "inventory/migrations/0001_initial.py").read_text()
        (created,) = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call)
            and any(
                isinstance(word.value, ast.Constant) and word.value.value == "Company"
                for word in node.keywords
            )
        ]
        parts = {
            str(word.arg): str(ast.get_source_segment(source, word.value))
            for word in created.keywords
        }
        options = parts["options"].replace('\'"inventory"."companies"\'', '"companies"')
        receive = RECEIVE.replace("FIELDS", parts["fields"]).replace("OPTIONS", options)
        for app, name, text in (("inventory", GIVES, TRANSFER), ("core", GETS, receive)):
            folder = self.path / app / "migrations"
            (folder / f"{name}.py").write_text(text)
            (folder / "max_migration.txt").write_text(f"{name}\n")


@pytest.fixture
def copy(postgres_server: TestServer, scratch_database: str, tmp_path: Path) -> Copy:
    """The project's copy, and an empty database."""
    return Copy(tmp_path / "copy", postgres_server, scratch_database)


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
        yield Copy(tmp_path / "copy", postgres_server, name)


def _is_whole(copy: Copy, *, seeded: bool) -> None:
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


def test_a_database_with_rows(used: Copy) -> None:
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
    _is_whole(used, seeded=True)
    assert query("SELECT * FROM public.companies ORDER BY id") == rows


def test_an_empty_database(copy: Copy) -> None:
    copy.run("migrate")
    _is_whole(copy, seeded=False)
    before = snapshot()
    copy.run("migrate_domain", "inventory", "0019", "--noinput")
    assert query(KEYS, "public.companies") == []
    copy.run("migrate_domain", "--all")
    assert snapshot() == before
    copy.run("seed_domain", "core")
    # Those before the table changes hands, whatever the server's version writes of them.
    assert "19 migrations" in copy.run("snapshot_domain", "inventory")
