"""Two servers of their own, and a project whose domain moves from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.moving_domain import Moving, moving_project, running_server
from tests.support.servers import DEBIAN_PROGRAMS, TestServer


@pytest.fixture(scope="session")
def target_18() -> Iterator[TestServer]:
    with running_server("18") as server:
        yield server


@pytest.fixture(scope="session")
def source_18() -> Iterator[TestServer]:
    with running_server("18") as server:
        yield server


@pytest.fixture(scope="session")
def source_15() -> Iterator[TestServer]:
    if not (DEBIAN_PROGRAMS / "postgres").exists():
        pytest.skip("PostgreSQL 15 is missing: install the package postgresql-15.")
    with running_server("15") as server:
        yield server


@pytest.fixture(params=[pytest.param("15", marks=pytest.mark.slow_stress), "18"])
def moving(
    request: pytest.FixtureRequest, target_18: TestServer, tmp_path: Path
) -> Iterator[Moving]:
    """A project that moves from the version to 18."""
    source = request.getfixturevalue(f"source_{request.param}")
    with moving_project(tmp_path / "project", source, target_18) as project:
        yield project


@pytest.fixture
def moving_15(source_15: TestServer, target_18: TestServer, tmp_path: Path) -> Iterator[Moving]:
    """A project that moves from 15 to 18."""
    with moving_project(tmp_path / "project", source_15, target_18) as project:
        yield project


@pytest.fixture
def moving_18(source_18: TestServer, target_18: TestServer, tmp_path: Path) -> Iterator[Moving]:
    """A project that moves from 18 to 18."""
    with moving_project(tmp_path / "project", source_18, target_18) as project:
        yield project
