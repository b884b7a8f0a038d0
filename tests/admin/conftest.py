from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.sample_data import make_sample_data
from tests.support.business import rolled_back


@pytest.fixture(scope="module")
def landscape(migrated_module_database: str) -> str:
    """A database of the module in which each state of a migration is to be seen."""
    make_sample_data()
    return migrated_module_database


@pytest.fixture
def undone(landscape: str) -> Iterator[None]:
    with rolled_back():
        yield
