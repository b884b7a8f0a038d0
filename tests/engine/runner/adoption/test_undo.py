"""Adoptions that are undone: the declaration says so, and the apps are core's again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support import lab
from tests.support.catalog import execute, query, schemas, snapshot
from tests.support.projects import Project

Write = Callable[..., Project]
HISTORY = "SELECT id, app, name, applied FROM public.django_migrations ORDER BY id"


def run(project: Project, *arguments: str, status: int = 0) -> dict[str, Any]:
    """The result of the domain that a run in JSON names."""
    result = project.manage(*arguments, "--format=json")
    assert result.returncode == status, result.stdout + result.stderr
    return dict(json.loads(result.stdout)["domains"][0])


@pytest.mark.usefixtures("surrounded")
def test_everything_is_put_back(write: Write) -> None:
    names = {"lab_sample": "samples", "lab_sample_tags": "samples_tags", "lab_tag": "lab_tag"}
    adoption = replace(lab.ADOPTION, tables=names, compat_views_until=date(2099, 1, 1))
    # TG_TABLE_NAME and the like would change with a new name.
    execute("DROP TRIGGER lab_touch ON lab_sample; DROP FUNCTION lab_touch()")
    catalog, history = snapshot(), query(HISTORY)
    adopted = run(write(lab.after(adoption)), "migrate_domain", "lab")
    assert adopted["status"] == "migrated"
    assert snapshot() != catalog
    undone = write(lab.undone(adoption), name="undone")
    assert run(undone, "migrate_domain", "core", "--check", status=1)["status"] == "pending"
    result = run(undone, "migrate_domain", "core")
    assert result["adoptions"][0]["direction"] == "backwards"
    assert snapshot() == catalog
    assert "lab" not in schemas()
    assert query(HISTORY) == history
    assert run(undone, "migrate_domain", "core")["status"] == "unchanged"
    # And once more.
    assert run(write(lab.after(adoption)), "migrate_domain", "lab")["status"] == "migrated"


def test_privileges_in_a_schema_that_stays_are_taken_back(write: Write) -> None:
    """Those of the adoption only: one role could use the schema before."""
    new, old = (f"lab_{kind}_{id(write)}" for kind in ("new", "old"))
    execute(
        f"CREATE ROLE {new}; CREATE ROLE {old}; GRANT SELECT ON lab_tag TO {new}, {old};"
        f" CREATE SCHEMA lab; CREATE TABLE lab.mine (); GRANT USAGE ON SCHEMA lab TO {old};"
        f" ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {new}"
    )
    granted = (
        "SELECT n.nspacl::text, (SELECT count(*) FROM pg_default_acl"
        " WHERE defaclnamespace = n.oid) FROM pg_namespace n WHERE nspname = 'lab'"
    )
    try:
        before = query(granted)
        run(write(lab.after()), "migrate_domain", "lab")
        assert [(new in acl, number) for acl, number in query(granted)] == [(True, 1)]
        run(write(lab.undone(), name="undone"), "migrate_domain", "core")
        assert query(granted) == before
    finally:
        execute(f"DROP OWNED BY {new}, {old}; DROP ROLE {new}, {old}")


def test_stock_migrate_puts_it_back_too(write: Write) -> None:
    catalog = snapshot()
    assert write(lab.after()).manage("migrate").returncode == 0
    assert write(lab.undone(), name="undone").manage("migrate").returncode == 0
    assert snapshot() == catalog


def test_a_database_that_was_never_adopted_has_nothing_to_undo(write: Write) -> None:
    assert run(write(lab.undone()), "migrate_domain", "core")["status"] == "unchanged"


def test_a_later_migration_of_the_domain_prevents_it(write: Write) -> None:
    third = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_size")]
    operations = [migrations.AddField("Sample", "note", models.TextField(default=""))]
"""
    run(write(lab.after()), "migrate_domain", "lab")
    later = {"0003_note": third}
    run(write(lab.after(**later), name="later"), "migrate_domain", "lab")
    before = snapshot()
    undone = write(lab.undone(**later), name="undone")
    result = run(undone, "migrate_domain", "core", status=1)
    assert result["error"]["message"] == (
        "The return of lab to core cannot begin: lab.0003_note was applied after the adoption."
    )
    assert snapshot() == before
