"""A migrated database for each module, and nothing left behind by a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import business


@pytest.fixture
def rolled_back(migrated_module_database: str) -> Iterator[None]:
    """Run the test in a transaction that is undone."""
    with business.rolled_back():
        yield
