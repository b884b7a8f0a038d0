"""Fixtures: a migrated database for each module, a rollback after each test, and a pharmacy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inventory import factories
from tests.inventory.factories import Pharmacy
from tests.support import business


@pytest.fixture
def rolled_back(migrated_module_database: str) -> Iterator[None]:
    """Run the test in a transaction that is rolled back."""
    with business.rolled_back():
        yield


@pytest.fixture
def pharmacy(rolled_back: None) -> Pharmacy:
    return factories.make_pharmacy()
