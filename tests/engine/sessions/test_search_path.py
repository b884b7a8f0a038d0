"""Core's tables, which have no schema in their name, on any search path of the role."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connections

from tests.support.catalog import execute, query, tables
from tests.support.commands import Result

DECOYS = "django_migrations", "django_content_type", "auth_permission", "users"


@pytest.mark.parametrize("path", ["inventory, hr, public", "hr", "''"])
def test_core_is_made_in_public(
    path: str, scratch_database: str, call: Callable[..., Result]
) -> None:
    """Not in the domain's schema that is first, nor are the tables of its name there read."""
    execute("CREATE SCHEMA inventory; CREATE SCHEMA hr")
    for name in DECOYS:
        execute(f"CREATE TABLE hr.{name} (id int)")
    execute(f"ALTER DATABASE {scratch_database} SET search_path = {path}")
    connections["default"].close()
    for _ in range(2):
        result = call("migrate_domain", "hr", "--with-dependencies")
        assert result.exit_status == 0, result.stderr
    assert set(DECOYS) <= tables("public")
    assert not tables("inventory")
    for name in DECOYS:
        assert query(f"SELECT count(*) FROM hr.{name}") == [(0,)]
    assert call("migrate_domain", "hr", "zero").exit_status == 0
    assert set(DECOYS) <= tables("hr")
    assert query("SELECT count(*) FROM public.django_content_type WHERE app_label = 'hr'") != [(0,)]
