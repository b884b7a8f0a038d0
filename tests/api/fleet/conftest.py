"""Fleets of a few databases, copies of one template for all tests of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import databases
from tests.support.fleet import Fleet, fleet_of, make_template
from tests.support.servers import TestServer


@pytest.fixture(scope="session")
def fleet_template(
    postgres_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    name = make_template(postgres_server, tmp_path_factory.mktemp("fleet"))
    yield name
    databases.drop(postgres_server, name)


@pytest.fixture
def fleet(
    postgres_server: TestServer, fleet_template: str, tmp_path: Path
) -> Iterator[Callable[..., Fleet]]:
    """`fleet(count=3, **settings)`: a project and the databases of its sites."""
    with ExitStack() as stack:

        def make(count: int = 3, **settings: Any) -> Fleet:
            path = tmp_path / "project"
            return stack.enter_context(
                fleet_of(postgres_server, fleet_template, path, count, settings=settings)
            )

        yield make
