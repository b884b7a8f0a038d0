"""An app that becomes a domain on a cluster, whose tables stay on the coordinator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import lab
from tests.support.catalog import execute, query
from tests.support.cluster import CitusServers
from tests.support.projects import write_project

pytestmark = pytest.mark.citus

TABLES = """
SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename ~ '^lab' ORDER BY 1
"""


def test_tables_move_where_new_schemas_are_distributed(
    citus_database: str, citus_cluster: CitusServers, tmp_path: Path
) -> None:
    settings = citus_cluster.settings(citus_database)
    before = write_project(tmp_path / "before", {"lab": lab.before()}, database=settings)
    assert before.manage("migrate").returncode == 0
    execute(lab.ROWS)
    execute(f"ALTER DATABASE {citus_database} SET citus.enable_schema_based_sharding TO on")
    after = write_project(tmp_path / "after", {"lab": lab.after()}, database=settings)

    done = after.manage("migrate_domain", "lab")

    assert (done.returncode, done.stderr) == (0, "")
    assert query(TABLES) == [("lab.lab_sample",), ("lab.lab_sample_tags",), ("lab.lab_tag",)]
    assert query("SELECT count(*) FROM pg_dist_partition") == [(0,)]
    assert query("SELECT count(*) FROM lab.lab_sample_tags") == [(2,)]


def test_plan_for_tables_that_are_on_every_node(
    citus_database: str, citus_cluster: CitusServers, tmp_path: Path
) -> None:
    settings = citus_cluster.settings(citus_database)
    project = write_project(tmp_path / "before", {"lab": lab.before()}, database=settings)
    assert project.manage("migrate").returncode == 0
    execute("SELECT create_reference_table('lab_tag')")
    models = (project.path / "lab/models.py").read_text()

    refused = project.manage("adopt_domain", "lab", "--write", "--skip-proof")

    assert refused.returncode == 1
    assert (
        "Blocked: The adoption of lab is not possible: public.lab_tag is on every node of the"
        " cluster, as core's tables are.\n  Adopt an app before" in refused.stdout
    )
    assert (project.path / "lab/models.py").read_text() == models

    after = write_project(tmp_path / "after", {"lab": lab.after()}, database=settings)
    planned = after.manage("migrate_domain", "lab", "--plan")
    assert planned.returncode == 1
    assert "The adoption of lab is not possible: public.lab_tag is on every" in planned.stderr
