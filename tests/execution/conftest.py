from __future__ import annotations

import pytest

from tests.execution.sessions import DRUGS, execute


@pytest.fixture
def drugs(scratch_database: str) -> None:
    """The tables inventory.drugs and public.drugs, with two rows of the same name each."""
    execute(DRUGS)
