"""The tools, installed once into the folder that the option names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.other_tools.workshop import Workshop
from tests.support.proxy import Proxy
from tests.support.servers import TestServer

REASON = "installs and runs other migration tools; run: nox -s other_tools"


@pytest.fixture
def workshop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    """A new database with the schema `wh`, reached by TCP, and a folder for the tool's files."""
    folder = request.config.getoption("--other-tools")
    if folder is None:
        pytest.skip(REASON)
    database = request.getfixturevalue("migrated_database")
    server: TestServer = request.getfixturevalue("postgres_server")
    with closing(Proxy(server)) as proxy:
        yield Workshop(Path(folder).resolve(), tmp_path, proxy.port, database)
