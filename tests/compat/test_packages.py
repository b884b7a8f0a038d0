"""Third-party packages, in core and in a domain, at the versions of requirements/compat.txt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from tests.compat.packages import Package
from tests.compat.trials import Trial, try_in_core, try_in_domain


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Path:
    return Path(request.config.getoption("--compat"))


@pytest.fixture
def server(scratch_database: str) -> str:
    connections["default"].ensure_connection()
    return str(connections["default"].pg_version // 10000)


def check(tried: Trial, package: Package, results: Path) -> None:
    tried.save(results)
    assert (tried.outcome, tried.problem) == (
        package.outcome.get(tried.place, "works"),
        tried.problem if tried.place in package.outcome else None,
    )


def test_in_core(
    package: Package, project: Callable[..., object], server: str, results: Path
) -> None:
    check(try_in_core(project, package, server), package, results)


def test_in_a_domain(
    package: Package, project: Callable[..., object], server: str, results: Path
) -> None:
    check(try_in_domain(project, package, server), package, results)
