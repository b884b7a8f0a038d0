"""What a repair leaves as it is, and what it does not."""

from __future__ import annotations

from pathlib import Path

from domain_migrations.engine.catalog.fingerprint import compare
from tests.api.inspect.test_inspect import (  # noqa: F401
    depot,
    inspected,
    migrate,
    source,
)
from tests.api.verify.test_repair import psql, repair_sql, reviewed
from tests.support.catalog import execute, query, snapshot

DRIFT = """
INSERT INTO depot.readings VALUES (1, '2026-02-02');
ALTER TABLE depot.readings DETACH PARTITION depot.readings_2026;
CREATE TABLE public.readings_2026 (id int);
"""


def test_a_table_without_a_model_is_repaired_if_migrations_create_it(
    depot: Path,  # noqa: F811
) -> None:
    assert migrate().exit_status == 0
    before = snapshot()["depot"]
    execute(DRIFT)

    script = repair_sql("depot").stdout

    assert "ATTACH PARTITION depot.readings_2026 FOR VALUES" in script
    done = psql(reviewed(script))
    assert done.returncode == 0, done.stderr + script
    # A table that is attached gets each index that its parent has for itself alone.
    differences = compare(before, snapshot()["depot"])
    assert differences == ["index depot.readings_2026_at_idx: added"]
    assert query("SELECT id FROM depot.readings") == [(1,)]
    assert query("SELECT id FROM public.readings_2026") == []
