"""Views under the old names, for old code during a deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support import lab
from tests.support.catalog import execute, query
from tests.support.projects import Project

Write = Callable[..., Project]
VIEWS = "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"


def run(project: Project, *arguments: str) -> dict[str, Any]:
    """The result of the domain that a run in JSON names."""
    result = project.manage(*arguments, "--format=json")
    assert result.returncode == 0, result.stdout + result.stderr
    return dict(json.loads(result.stdout)["domains"][0])


def findings(project: Project) -> list[tuple[str, str, str]]:
    result = project.manage("verify_domain", "--format=json")
    found = json.loads(result.stdout)["findings"]
    return [(item["id"], item["object"], item["hint"]) for item in found]


def test_old_code_reads_and_writes_through_them_until_they_are_dropped(write: Write) -> None:
    names = {"lab_sample": "samples", "lab_sample_tags": "samples_tags", "lab_tag": "lab_tag"}
    adoption = replace(lab.ADOPTION, tables=names)
    role = f"lab_writer_{id(write)}"
    execute(f"CREATE ROLE {role}; GRANT SELECT, INSERT (code) ON lab_sample TO {role}")
    try:
        wanted = write(lab.after(replace(adoption, compat_views_until=date(2099, 1, 1))))
        run(wanted, "migrate_domain", "lab")
        execute(f"SET ROLE {role}")
        execute("SELECT code FROM public.lab_sample")
        execute("RESET ROLE")
        inserted = query("INSERT INTO lab_sample (code, size) VALUES ('C', 1) RETURNING id")
        execute("UPDATE lab_sample SET size = 2 WHERE code = 'C'; DELETE FROM lab_sample_tags")
        assert query("SELECT id, size FROM lab.samples WHERE code = 'C'") == [(inserted[0][0], 2)]
        assert findings(wanted) == []
        assert run(wanted, "migrate_domain", "lab")["status"] == "unchanged"
        execute(
            "COMMENT ON VIEW public.lab_tag IS"
            " 'domain_migrations: stands in for lab.lab_tag until 2020-01-01'"
        )
        [(number, name, hint)] = findings(wanted)
        assert (number, name) == ("L008", "public.lab_tag")
        assert "remove compat_views_until from adoption.toml" in hint
        execute(
            "CREATE VIEW public.lab_mine AS SELECT * FROM lab.lab_tag;"
            "COMMENT ON VIEW public.lab_mine IS 'domain_migrations: stands in for lab.lab_tag until"
            " 2099-01-01, left by the transfer of shop.Tag'"
        )
        over = write(lab.after(adoption), name="over")
        assert run(over, "migrate_domain", "lab")["adoptions"][0]["dropped_views"] == 3
        assert query(VIEWS) == [("lab_mine",)]
        execute("DROP VIEW public.lab_mine")
        assert findings(over) == []
    finally:
        execute("RESET ROLE")
        execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("target", ["zero", "0001"])
def test_a_view_that_blocks_a_rollback_is_named(write: Write, target: str) -> None:
    adoption = replace(lab.ADOPTION, compat_views_until=date(2099, 1, 1))
    project = write(lab.after(adoption))
    run(project, "migrate_domain", "lab")
    execute("CREATE SCHEMA mine; CREATE VIEW mine.lab_sample AS SELECT 1 AS one")
    refused = project.manage("migrate_domain", "lab", target, "--noinput")
    assert refused.returncode == 1
    assert (
        "It was rolled back. Applied before it in this run: none. The view public.lab_sample stands"
        " in for what was adopted, for older code, until 2099-01-01. Once none runs, remove"
        " compat_views_until from adoption.toml, and run the command again: it drops the views"
        " first."
    ) in refused.stderr
    assert len(query(VIEWS)) == 3
    done = write(lab.after(), name="later").manage("migrate_domain", "lab", target, "--noinput")
    assert done.returncode == 0, done.stderr
    assert query(VIEWS) == []
    assert query("SELECT one FROM mine.lab_sample") == [(1,)]


def test_a_view_that_is_not_ours_is_not_named(write: Write) -> None:
    project = write(lab.after())
    run(project, "migrate_domain", "lab")
    execute("CREATE VIEW public.lab_sample AS SELECT * FROM lab.lab_sample")
    refused = project.manage("migrate_domain", "lab", "0001", "--noinput")
    assert "Drop what depends on it in an operation before this one" in refused.stderr


TYPE = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_size")]
    operations = [migrations.AlterField("Sample", "size", models.BigIntegerField(default=0))]
"""


def test_a_view_that_blocks_a_new_type_is_named(write: Write) -> None:
    adoption = replace(lab.ADOPTION, compat_views_until=date(2099, 1, 1))
    run(write(lab.after(adoption)), "migrate_domain", "lab")
    later = write(lab.after(adoption, **{"0003_type": TYPE}), name="later")
    refused = later.manage("migrate_domain", "lab")
    assert "The view public.lab_sample stands in for what was adopted" in refused.stderr
