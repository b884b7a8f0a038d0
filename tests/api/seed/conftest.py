"""Seeds of the sample domains, replaced by those that a test writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from domain_migrations.api.seed import seed_files as files
from tests.support.catalog import query
from tests.support.commands import Result, call

Write = Callable[..., Path]


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`seeds(name, text, app="inventory")`: a file in the app's folder; there are no others."""
    monkeypatch.setattr(files, "seeds_folder", lambda label: tmp_path / label / "seeds")
    monkeypatch.setattr("django.conf.settings.DOMAIN_MIGRATIONS", {})

    def write(name: str, text: str, app: str = "inventory") -> Path:
        folder = tmp_path / app / "seeds"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


def seed(*arguments: str, domain: str = "inventory") -> dict[str, Any]:
    """The result of `seed_domain`, which has to succeed."""
    result = call("seed_domain", domain, *arguments, "--format", "json")
    assert result.exit_status == 0, result.stderr
    return json.loads(result.stdout)


def fail(*arguments: str, domain: str = "inventory", status: int = 1) -> str:
    """The sentence that `seed_domain` fails with, without its hint's usual end."""
    result: Result = call("seed_domain", domain, *arguments)
    assert result.exit_status == status, result.stdout
    sentence = result.stderr.removeprefix("CommandError: ").strip()
    return sentence.removesuffix(" Nothing of this file was kept; correct it.")


def counts(*arguments: str, domain: str = "inventory") -> tuple[int, int, int]:
    """What `seed_domain` did to rows: how many inserted, updated and kept."""
    done = [one for one in seed(*arguments, domain=domain)["seeds"] if one["status"] == "seeded"]
    return tuple(sum(one[name] for one in done) for name in ("inserted", "updated", "kept"))  # type: ignore[return-value]


def forms() -> dict[str, str]:
    return dict(query("SELECT code, name FROM inventory.dosage_forms"))
