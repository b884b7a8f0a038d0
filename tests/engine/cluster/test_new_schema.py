"""The declaration of a distributed domain, and its schema on plain PostgreSQL."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connections
from django.test.utils import CaptureQueriesContext

from domain_migrations.domains import get_domain
from domain_migrations.engine.runner.domain_schema import ensure_domain_schema
from domain_migrations.engine.runner.run_session import RunSession
from tests.support.catalog import execute, query

SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = 'hr'"


def test_declared_by_one_app(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not get_domain("hr").is_distributed

    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)

    assert get_domain("hr").is_distributed
    assert not get_domain("inventory").is_distributed
    assert not get_domain("core").is_distributed


def test_no_effect_on_plain_postgresql(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps.get_app_config("hr"), "distributed", True)
    execute("CREATE TABLE public.hr (id int)")
    session = RunSession(connections["default"], get_domain("hr"))

    with CaptureQueriesContext(connections["default"]) as queries:
        ensure_domain_schema(session)
        ensure_domain_schema(session)

    assert query(SCHEMAS) == [(1,)]
    statements = [entry["sql"] for entry in queries]
    assert len(statements) == 4, statements
    assert sum("pg_extension" in statement for statement in statements) == 1
