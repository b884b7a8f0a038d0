from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.sample_data import make_sample_data
from tests.support.business import rolled_back


@pytest.fixture(scope="module")
def sample_data(migrated_module_database: str) -> str:
    """A database of the module with a migration in each state."""
    make_sample_data()
    return migrated_module_database


@pytest.fixture
def rollback(sample_data: str) -> Iterator[None]:
    with rolled_back():
        yield
