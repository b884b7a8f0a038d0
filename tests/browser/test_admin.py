"""The engine's admin pages in a browser."""

from __future__ import annotations

import pytest

from tests.support.browser import NARROW, WIDE, Windows, faults, sideways
from tests.support.business import make_user

OVERVIEW = "/admin/domain_migrations/domain/"


@pytest.fixture(scope="module")
def superuser(site):
    return make_user(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_overview_fits_and_is_accessible(windows: Windows, superuser, size, dark):
    page = windows.open(superuser, OVERVIEW, size=size, dark=dark)
    assert page.locator("#domains tbody th").all_inner_texts()[0] == "core"
    assert sideways(page) == 0
    assert faults(page) == []
