"""A database whose apps are all core's, and projects that adopt one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import databases, lab
from tests.support.projects import Project, write_project
from tests.support.servers import TestServer


@pytest.fixture(scope="session")
def core_template(
    postgres_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database of the project before, with rows; clone it, never change it."""
    with databases.scratch(postgres_server, prefix="lab") as name:
        project = write_project(
            tmp_path_factory.mktemp("before"),
            {"lab": lab.before()},
            database={**postgres_server.settings, "NAME": name},
        )
        migrated = project.manage("migrate")
        assert migrated.returncode == 0, migrated.stderr
        with postgres_server.connect(name) as session:
            session.execute(lab.ROWS)
        yield name


@pytest.fixture
def core_database(
    postgres_server: TestServer, core_template: str, django_db_blocker: Any
) -> Iterator[str]:
    """A copy of it, to which Django's default connection points."""
    with databases.connected(postgres_server, django_db_blocker, template=core_template) as name:
        yield name


@pytest.fixture
def write(
    postgres_server: TestServer, core_database: str, tmp_path: Path
) -> Callable[..., Project]:
    """`write(files_of_lab, name=…, apps=…)`: a project on that database."""

    def write(
        files: Mapping[str, str],
        *,
        name: str = "after",
        apps: Mapping[str, Mapping[str, str]] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Project:
        database = {**postgres_server.settings, "NAME": core_database}
        return write_project(
            tmp_path / name, {"lab": files, **(apps or {})}, database=database, settings=settings
        )

    return write


@pytest.fixture
def surrounded(core_database: str) -> None:
    """Views, functions, triggers and so on around the tables."""
    from tests.support.catalog import execute

    execute(lab.SURROUNDINGS)
