"""Replays in scratch databases, of domains that exchange a table."""

from __future__ import annotations

import json

from tests.engine.runner.transfer.conftest import Exchange
from tests.support.catalog import query


def test_proofs_and_snapshots_go_as_far_as_they_can(empty: Exchange) -> None:
    proven = empty.later.manage("prove_domain")
    assert proven.returncode == 0, proven.stdout + proven.stderr
    stops = ["lab", "ward"] if empty.way == "to a domain" else ["core"]
    ends = [line.partition(":")[0] for line in proven.stdout.splitlines() if "transfer: " in line]
    assert ends == stops
    written = empty.later.manage("snapshot_domain", "lab")
    assert written.returncode == 0, written.stdout + written.stderr
    assert "2 migrations" in written.stdout, "those before the table changes hands"
    assert query("SELECT count(*) FROM pg_namespace WHERE nspname = 'lab'") == [(0,)]
    migrated = empty.later.manage("migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    assert empty.place() == empty.new
    same = empty.later.manage("verify_domain")
    assert same.returncode == 0, same.stdout + same.stderr


def test_the_linter_asks_for_nothing_that_a_transfer_cannot_do(filled: Exchange) -> None:
    linted = filled.after.manage("lint_domain", "--format=json")
    found = {finding["rule"] for finding in json.loads(linted.stdout)["findings"]}
    assert (found, linted.returncode) == ({"ban-set-schema"}, 0), "warnings only"
