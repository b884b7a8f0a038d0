"""A pytest plugin with a fixture that tests one migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .migration_trial import MigrationTrial


@pytest.fixture
def migration_trial(transactional_db: None) -> Iterator[Callable[[str], MigrationTrial]]:
    """Return a function that takes ``app.name`` and brings the database to just before it."""
    from .migration_trial import MigrationTrial  # The settings are not read until here.

    trials: list[MigrationTrial] = []

    def start(name: str, database: str | None = None) -> MigrationTrial:
        trials.append(MigrationTrial(name, database))
        return trials[-1]

    yield start
    for trial in reversed(trials):
        trial.restore()
