"""Transfers of models where a domain is distributed, which begin nothing."""

from __future__ import annotations

import pytest
from django.db import connections

from domain_migrations.api.transfer.transfer import plan_transfer
from domain_migrations.domains import get_domain
from domain_migrations.engine.runner.transfer.distributed_schemas import check_not_distributed
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.catalog import execute, query

pytestmark = pytest.mark.citus

CREATE = "CREATE TABLE inventory.budget_types (id bigint PRIMARY KEY)"
PLACES = "SELECT oid::regclass::text FROM pg_class WHERE relname = 'budget_types'"


def test_transfer_of_a_distributed_table(citus_database: str) -> None:
    connection, core, hr = connections["default"], get_domain("core"), get_domain("hr")
    execute("CREATE SCHEMA inventory")
    execute(CREATE)
    check_not_distributed(connection, "The transfer", get_domain("inventory"), core)
    execute("SELECT citus_schema_distribute('inventory')")

    blockers = [each.message for each in plan_transfer("inventory.BudgetType", "core").blockers]

    assert len(blockers) == 1
    assert blockers[0].startswith(
        "The transfer of inventory.BudgetType to core is not possible: the schema inventory is"
        " distributed"
    )
    with pytest.raises(InvalidConfiguration, match="schema inventory is distributed"):
        check_not_distributed(connection, "The transfer", hr, get_domain("inventory"))
    assert query(PLACES) == [("inventory.budget_types",)]
