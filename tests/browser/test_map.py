"""The map in a browser: by mouse, by keyboard and without scripts."""

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
from tests.support.catalog import execute

MAP = "/admin/domain_migrations/domain/map/"
CROSSING = "ALTER TABLE hr.positions ADD drug bigint CONSTRAINT stray REFERENCES inventory.drugs"


@pytest.fixture(scope="module")
def superuser(site: Site) -> Any:
    execute(CROSSING)
    return make_user(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_map_fits_and_is_accessible(
    windows: Windows, superuser: Any, size: tuple[int, int], dark: bool
) -> None:
    page = windows.open(superuser, MAP, size=size, dark=dark)
    assert horizontal_overflow(page) == 0
    assert accessibility_faults(page) == []
    paper = "element => getComputedStyle(element).backgroundColor"
    expected = "rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)"
    assert page.locator("svg.domain-map").evaluate(paper) == expected


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_from_the_map_to_the_statements(windows: Windows, superuser: Any, javascript: bool) -> None:
    page = windows.open(superuser, MAP, javascript=javascript)
    page.locator("a.edge--violation .count").click()
    assert page.get_by_text("The foreign key hr.positions.stray references").is_visible()
    page.get_by_label("Domain hr,").click()
    page.get_by_role("link", name="hr.0012_assignment_location").click()
    assert "ADD COLUMN" in page.get_by_role("region", name="SQL, forwards").inner_text()


def test_the_map_is_walked_by_keyboard(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser, MAP)
    page.get_by_role("region", name="Picture").focus()
    page.keyboard.press("Tab")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert " to core: " in label
    page.keyboard.press("Enter")
    assert page.locator("details[open] summary").inner_text() == label
