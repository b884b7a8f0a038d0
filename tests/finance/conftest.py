"""Fixtures: a migrated database for each module, and a rollback after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import business


@pytest.fixture
def rolled_back(migrated_module_database: str) -> Iterator[None]:
    """Run the test in a transaction that is rolled back."""
    with business.rolled_back():
        yield
