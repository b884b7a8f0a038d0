"""What should be distributed and is not, as `verify_domain` reports it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps

from tests.support.catalog import execute
from tests.support.commands import Result

pytestmark = pytest.mark.citus


def test_what_is_on_the_coordinator_only(
    migrated_citus_database: str,
    call: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def findings(domain: str) -> str:
        return call("verify_domain", domain, only=["drift"]).stdout

    assert findings("hr") == findings("core") == "Nothing found.\n"
    execute(
        "CREATE SCHEMA hr_decoy; CREATE TABLE hr_decoy.users (id int);"
        "SET citus.enable_local_reference_table_foreign_keys TO off"
    )
    execute("SELECT citus_schema_distribute('hr_decoy')")
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)
    assert findings("hr") == (
        'D071 The domain "hr" is declared as distributed, and its schema hr is not.\n'
        "     To move its tables to a node, run: manage.py distribute_domain hr\n"
    )

    execute("SELECT create_reference_table('public.django_content_type')")
    execute("SELECT create_reference_table('public.auth_permission')")
    found = findings("core")
    assert (
        "D072 The table public.roles is on the coordinator only, while core's other tables are on"
        " every node.\n"
    ) in found
    assert (
        "BEGIN; SET LOCAL citus.enable_local_reference_table_foreign_keys TO off;"
        """ SELECT create_reference_table('"public"."roles"'); COMMIT\n"""
    ) in found
    for name in ("auth_permission", "django_session", "django_migrations", "hr_decoy"):
        assert f"table public.{name} is" not in found

    execute("ALTER TABLE public.role_permissions SET UNLOGGED")
    execute("ALTER TABLE public.auth_group RENAME TO grouped")
    execute("CREATE TABLE public.auth_group (LIKE public.grouped) PARTITION BY LIST (name)")
    found = findings("core")
    assert (
        "D072 The table public.role_permissions is unlogged, so it is on the coordinator only"
        in found
    )
    assert 'ALTER TABLE "public"."role_permissions" SET LOGGED' in found
    assert "D072 The table public.auth_group is partitioned, so it is on the" in found
