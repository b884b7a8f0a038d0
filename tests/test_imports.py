"""The import contracts of pyproject.toml: kept by the project, broken by every wrong import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from domain_migrations.domains import get_domains
from tests.support.commands import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's sources."""
    folder = tmp_path_factory.mktemp("imports")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_project_keeps_its_contracts(sources: Path) -> None:
    result = lint(sources)

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_domain_is_in_every_contract() -> None:
    """A domain that is forgotten there would be free to import what it likes."""
    linter = PROJECT["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in linter["contracts"]}
    domains = {
        label for domain in get_domains() if not domain.is_core for label in domain.app_labels
    }

    assert domains <= set(linter["root_packages"])
    assert domains == set(contracts["domains"]["modules"])
    assert domains == set(contracts["core"]["forbidden_modules"])
    assert {"config", "core", *domains} == set(contracts["engine"]["forbidden_modules"])


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("domain_migrations/fields.py", "import hr.models", "The engine knows neither"),
        (
            "domain_migrations/api/prove.py",
            "from config import settings",
            "The engine knows neither",
        ),
        ("hr/selectors.py", "from inventory.models import Location", "No domain imports another"),
        ("core/services.py", "import finance.services", "Core imports no domain"),
        (
            "domain_migrations/engine/boundary/rule.py",
            "def late():\n    from ...api.migrate import migrate_domains",
            "The engine's modules import one way",
        ),
        (
            "domain_migrations/engine/sessions/session.py",
            "from ..runner.options import MigrateOptions",
            "The engine's rooms import one way",
        ),
        (
            "domain_migrations/backends/postgresql/names.py",
            "if TYPE_CHECKING:\n    from ...domains import Domain",
            "The backend knows nothing of domains",
        ),
    ],
    ids=[
        "engine-domain",
        "engine-config",
        "domain-domain",
        "core-domain",
        "lazy",
        "rooms",
        "typing",
    ],
)
def test_a_wrong_import_breaks_its_contract(
    sources: Path, module: str, statement: str, broken: str
) -> None:
    path = sources / module
    before = path.read_text()
    path.write_text(f"{before}\n{statement}\n")
    try:
        result = lint(sources)
    finally:
        path.write_text(before)

    assert result.returncode == 1
    lines = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(broken) for line in lines), result.stdout
