"""Fixtures of the browser tests: the project served on a migrated database, and its windows.

Each test ends with what its pages should not have done: nothing on the console, nothing refused
by their policy, no request to another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support import browser
from tests.support.browser import Site, Windows

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, gone before a module that has nothing to do with it begins."""
    with pytest.MonkeyPatch.context() as patch, browser.chromium() as started:
        # Playwright runs an event loop in this thread, and Django refuses the ORM in such.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield started


@pytest.fixture(scope="module")
def site(chromium: Browser, migrated_module_database: str) -> Iterator[Site]:
    """The project on a migrated database of this module, where everything stays."""
    with browser.live_site() as served:
        yield served


@pytest.fixture
def windows(chromium: Browser, site: Site) -> Iterator[Windows]:
    """`windows.open(user, path, size=, dark=, javascript=)`: a page in a new window."""
    with ExitStack() as stack:
        opened = Windows(chromium, site, stack)
        yield opened
        assert opened.complaints == []
