"""The migrations of the inventory: their result, and that all of them can be reverted."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from tests.inventory import factories
from tests.support.commands import Result

pytestmark = pytest.mark.usefixtures("replayed")

LATEST = "0020_time_of_stock_levels"
OTHERS = ("public", "hr", "finance")

DECOY = """
CREATE TABLE public.drug_lots (
    drug_id bigint,
    lot_number text,
    expires_on date,
    CONSTRAINT drug_lots_drug_lot_expiry_key UNIQUE (drug_id, lot_number, expires_on)
)
"""
DECOY_INDEX = "CREATE INDEX drugs_trade_name_idx ON public.drug_lots (lot_number)"


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def migrate(call: Callable[..., Result], target: str) -> None:
    result = call("migrate_domain", "inventory", target)
    assert result.exit_status == 0, result.stdout + result.stderr


@pytest.fixture
def with_decoys(migrated_database: str) -> None:
    """Create a table in `public` with names that the inventory also uses."""
    with connection.cursor() as cursor:
        cursor.execute(DECOY)
        cursor.execute(DECOY_INDEX)


@pytest.mark.slow_stress
def test_zero_and_back_gives_the_same_catalog(
    with_decoys: None, call: Callable[..., Result]
) -> None:
    before = fingerprint(connection, "inventory")
    others = {schema: fingerprint(connection, schema) for schema in OTHERS}

    migrate(call, "zero")

    left = rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'inventory'::regnamespace"
        " AND relkind IN ('r', 'v') AND relname !~ '^django_'"
        " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'inventory'::regnamespace"
    )
    assert left == []
    for schema, catalog in others.items():
        assert compare(catalog, fingerprint(connection, schema)) == []
    migrate(call, LATEST)
    assert compare(before, fingerprint(connection, "inventory")) == []
    for schema, catalog in others.items():
        assert compare(catalog, fingerprint(connection, schema)) == []


def test_reverting_each_step_restores_the_state_before_it(
    with_decoys: None, call: Callable[..., Result]
) -> None:
    names = sorted(
        name for app, name in MigrationLoader(None).disk_migrations if app == "inventory"
    )
    migrate(call, "0007_budget_requests")
    catalogs = {}
    for name in names[6:]:
        migrate(call, name)
        catalogs[name] = fingerprint(connection, "inventory")
    for name in reversed(names[6:-1]):
        migrate(call, name)
        differences = compare(catalogs[name], fingerprint(connection, "inventory"))
        assert differences == [], name


def test_totals_are_filled_and_emptied(migrated_database: str, call: Callable[..., Result]) -> None:
    with transaction.atomic():
        receipt = factories.make_receipt(factories.make_pharmacy(), ordered=10)
    migrate(call, "0010")
    total = "SELECT total_amount FROM inventory.purchase_orders"
    assert rows(total) == [(None,)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory.purchase_orders"
            " (number, vendor_id, method, ordered_on, status, created_at, updated_at,"
            " created_by_id)"
            " SELECT 'EMPTY', vendor_id, method, ordered_on, status, created_at, updated_at,"
            " created_by_id FROM inventory.purchase_orders"
        )

    migrate(call, "0011")

    assert rows(f"{total} ORDER BY id") == [(Decimal("500.00"),), (Decimal("0.00"),)]
    migrate(call, LATEST)
    assert rows(f"{total} ORDER BY id") == [(Decimal("500.00"),), (Decimal("0.00"),)]
    assert receipt.order.items.get().packs == 10


def test_the_check_of_standard_codes_is_validated_in_a_step_of_its_own(
    migrated_database: str, call: Callable[..., Result]
) -> None:
    checks = (
        "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'c'"
        " AND conrelid = 'inventory.drugs'::regclass ORDER BY conname"
    )
    migrate(call, "0013")
    assert rows(checks) == [("drugs_standard_code_length_check", True)]
    migrate(call, "0014")
    assert rows(checks) == [
        ("drugs_standard_code_check", False),
        ("drugs_standard_code_length_check", True),
    ]
    migrate(call, "0015")
    assert rows(checks) == [("drugs_standard_code_check", True)]


def test_the_models_need_no_migration(call: Callable[..., Result], migrated_database: str) -> None:
    result = call("makemigrations", "inventory", check_changes=True, dry_run=True)
    assert result.exit_status == 0, result.stdout
