"""Django's fixtures, loaded into distributed tables and reference tables."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.catalog import query
from tests.support.distributed import distribute

pytestmark = pytest.mark.citus


def test_numbers_continue_after_those_of_a_fixture(
    migrated_citus_database: str,
    manage: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    path = tmp_path / "rows.json"
    distribute("hr")
    written = manage("dumpdata", "hr.leavetype", "core.costcentre", "--output", str(path))
    highest = "SELECT max(id) FROM hr.leave_types"
    before = query(highest)
    query("SELECT setval('hr.leave_types_id_seq', 1)")

    loaded = manage("loaddata", str(path))

    assert written.returncode == 0, written.stderr
    assert loaded.returncode == 0, loaded.stderr
    assert query("SELECT nextval('hr.leave_types_id_seq')") == [(before[0][0] + 1,)]
