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
