"""What older code says of a database in which newer code has transferred a table."""

from __future__ import annotations

import json

import pytest

from tests.engine.runner.transfer.conftest import Exchange


@pytest.mark.parametrize("domain", ["source", "target"])
def test_nothing_is_to_be_done(filled: Exchange, domain: str) -> None:
    """The histories have rows that are not on disk, which is a normal rollback of the code."""
    filled.run(filled.after, "--all")
    result = filled.before.manage("migrate_domain", getattr(filled, domain))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "but not on disk. Newer code may have applied it; it is ignored." in result.stderr
    shown = filled.before.manage("show_domains", "--all")
    assert "[!]" not in shown.stdout
    assert filled.place() == filled.new


@pytest.mark.parametrize("way", ["to core"], indirect=True)
def test_nobody_is_told_to_move_the_table(filled: Exchange) -> None:
    filled.run(filled.after, "--all")
    result = filled.before.manage("verify_domain", "--format=json")
    found = {item["id"]: item for item in json.loads(result.stdout)["findings"]}
    assert found["L001"]["hint"] == (
        "Newer code, which has applied lab.0003_transfer_company, may have transferred it: verify"
        " the database with that code. It is the only copy."
    )
    assert "H009" not in found
