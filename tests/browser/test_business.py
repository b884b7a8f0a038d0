"""The business domains' and Django's pages in a browser, under the project's policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import (
    NARROW,
    WIDE,
    Site,
    Windows,
    accessibility_faults,
    horizontal_overflow,
)
from tests.support.business import make_user
from tests.support.commands import call

LISTS = (
    "/admin/inventory/drug/",
    "/admin/inventory/druggeneric/",
    "/admin/inventory/purchaseorder/",
    "/admin/inventory/receipt/",
    "/admin/hr/leaverequest/",
    "/admin/finance/invoice/",
)


@pytest.fixture(scope="module")
def superuser(site: Site) -> Any:
    for domain in ("core", "inventory", "hr", "finance"):
        assert call("seed_domain", domain, "--tag", "demo", verbosity=0).exit_status == 0
    return make_user(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("address", LISTS)
def test_lists_have_room_and_complain_of_nothing(
    windows: Windows, superuser: Any, address: str
) -> None:
    page = windows.open(superuser, address, size=WIDE)
    assert page.locator("#result_list tbody tr").count() > 0
    # All columns are to be seen at once.
    table = page.locator("#changelist-form .results")
    assert table.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert horizontal_overflow(page) == 0


def test_references_are_searched_for_under_the_policy(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser, "/admin/inventory/drug/add/")
    page.locator(".field-generic .select2-selection").click()
    page.locator(".select2-search__field").last.fill("amlo")
    page.locator(".select2-results__option", has_text="Amlodipine").click()
    assert "Amlodipine" in page.locator(".field-generic .select2-selection").inner_text()
    # Over domains too.
    page.goto("/admin/finance/invoice/add/")
    assert page.locator("form#invoice_form").is_visible()


def test_signing_in_and_missing_pages(windows: Windows, superuser: Any) -> None:
    page = windows.open(None, "/admin/login/")
    assert accessibility_faults(page) == []
    answer = page.goto("/nowhere/")
    assert answer is not None
    assert answer.status == 404
