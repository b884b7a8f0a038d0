from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.extra_migrations import pending as more_pending
from tests.support.sessions import DRUGS, execute


@pytest.fixture
def drugs(scratch_database: str) -> None:
    """The tables inventory.drugs and public.drugs, with two rows of the same name each."""
    execute(DRUGS)


@pytest.fixture
def pending(migrated_database: str, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`pending(app, **bodies)`: more migrations of an app, beyond those that are applied."""
    with ExitStack() as stack:

        def write(app: str, **migrations: str) -> None:
            stack.enter_context(more_pending(tmp_path, app, migrations))

        yield write
