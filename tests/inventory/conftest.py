"""One migrated database for each module; each test's rows are rolled back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.inventory import factories
from tests.inventory.factories import Pharmacy


@pytest.fixture
def rolled_back(migrated_module_database: str) -> Iterator[None]:
    """A transaction that leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def pharmacy(rolled_back: None) -> Pharmacy:
    return factories.make_pharmacy()
