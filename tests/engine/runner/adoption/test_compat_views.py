"""Views under the old names, for old code during a deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

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
        execute("CREATE VIEW public.lab_mine AS SELECT 1 AS one")
        over = write(lab.after(adoption), name="over")
        assert run(over, "migrate_domain", "lab")["adoptions"][0]["dropped_views"] == 3
        assert query(VIEWS) == [("lab_mine",)]
        execute("DROP VIEW public.lab_mine")
        assert findings(over) == []
    finally:
        execute("RESET ROLE")
        execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
