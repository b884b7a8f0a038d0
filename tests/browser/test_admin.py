"""The engine's admin pages in a browser: every page, at both widths and in both colour schemes."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib import admin

from tests.admin.sample_data import RUN, make_sample_data, member
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

if TYPE_CHECKING:
    from playwright.sync_api import Page

SLOW = pytest.mark.slow_stress
BASE = "/admin/domain_migrations/domain/"
PENDING = "0012_assignment_location"
PAGES = {
    "overview": BASE,
    "domain": f"{BASE}domain/hr/",
    "migration": f"{BASE}domain/hr/hr/{PENDING}/",
    "journal": f"{BASE}journal/",
    "run": f"{BASE}journal/{RUN}/",
}


@pytest.fixture(scope="module")
def superuser(site: Site) -> Any:
    make_sample_data()
    return make_user(is_staff=True, is_superuser=True)


@pytest.mark.parametrize(
    ("size", "dark"),
    [
        pytest.param(WIDE, False, id="wide, light"),
        pytest.param(NARROW, True, id="narrow, dark"),
        pytest.param(WIDE, True, id="wide, dark", marks=SLOW),
        pytest.param(NARROW, False, id="narrow, light", marks=SLOW),
    ],
)
def test_pages_fit_and_are_accessible(
    windows: Windows, superuser: Any, size: tuple[int, int], dark: bool
) -> None:
    page = windows.open(superuser, size=size, dark=dark)
    for name, path in PAGES.items():
        page.goto(path)
        assert page.locator("#content h1").is_visible(), name
        assert horizontal_overflow(page) == 0, name
        assert accessibility_faults(page) == [], name
    dark_background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark_background == "rgb(18, 18, 18)") == dark


@pytest.mark.parametrize("name", ["overview", "journal"])
def test_tables_fit_beside_the_side_bar_of_the_admin(
    windows: Windows, superuser: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import_module(settings.ROOT_URLCONF)  # It disables the side bar.
    # admin.site is a wrapper, whose attribute would be deleted in the end, not restored.
    monkeypatch.setattr(admin.site._wrapped, "enable_nav_sidebar", True)  # type: ignore[attr-defined]
    page = windows.open(superuser, PAGES[name])
    assert page.locator("#nav-sidebar").is_visible()
    widths = page.locator(".dm-scroll").evaluate_all(
        "found => found.map(each => each.scrollWidth - each.clientWidth)"
    )
    assert widths == [0]


@pytest.mark.parametrize("name", ["overview", "journal"])
def test_labels_of_the_filter_are_on_one_line(windows: Windows, superuser: Any, name: str) -> None:
    labels = windows.open(superuser, PAGES[name]).locator(".dm-filter label")
    tops = labels.evaluate_all("found => found.map(each => each.getBoundingClientRect().top)")
    assert len(tops) > 1
    assert len(set(tops)) == 1


def test_picture_of_many_tables_is_legible_and_scrolls(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser, f"{BASE}domain/inventory/")
    picture = page.locator(".dm-diagram")
    sizes = picture.locator("text").evaluate_all(
        "found => [...new Set(found.map(each => each.getBoundingClientRect().height))]"
    )
    assert len(sizes) == 1
    assert 12 < sizes[0] < 24
    assert picture.evaluate("each => each.scrollWidth > each.clientWidth")
    assert page.get_by_text("The picture scrolls sideways and down.").is_visible()


def test_from_the_overview_to_the_statements(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser)
    page.get_by_role("link", name="Domains", exact=True).first.click()
    page.get_by_role("link", name="hr", exact=True).click()
    page.get_by_role("link", name=f"hr.{PENDING}").click()
    statements = page.get_by_role("region", name="SQL, forwards")
    assert 'ALTER TABLE "hr"."assignments" ADD COLUMN "location_id"' in statements.inner_text()
    keyword = statements.locator(".dm-hl-k").first
    colours = "element => getComputedStyle(element).color"
    assert keyword.evaluate(colours) != statements.evaluate(colours)
    assert "class Migration" in page.get_by_role("region", name="Source of").inner_text()


def test_journal_is_filtered(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser, PAGES["journal"])
    page.get_by_label("Domain", exact=True).select_option("hr")
    page.get_by_label("Status").select_option("failed")
    page.get_by_label("Person").fill("somsri")
    page.get_by_role("button", name="Filter").click()
    runs = page.locator("#runs tbody tr")
    assert runs.count() == 1
    assert "✕ failed" in runs.inner_text()
    runs.get_by_role("link").first.click()
    assert page.locator("#steps tbody tr").count() == 2
    bars = page.locator("#steps .dm-bar rect:not(.dm-track)")
    widths = [bar["width"] for bar in (bars.nth(place).bounding_box() for place in (0, 1)) if bar]
    assert 10 < widths[0] < widths[1]


@pytest.mark.parametrize("page", list(PAGES))
def test_pages_need_no_script(windows: Windows, superuser: Any, page: str) -> None:
    shown = windows.open(superuser, PAGES[page], javascript=False, size=NARROW, dark=True)
    assert shown.locator("main h1").is_visible()
    assert shown.locator(".dm-command").first.is_visible()
    assert shown.evaluate("document.querySelectorAll('main script').length") == 0


def focused(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.innerText || document.activeElement.name")
    return text


def tab_to(page: Page, name: str) -> None:
    for _ in range(150):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    raise AssertionError(f"The keyboard does not reach {name!r}.")


def test_keyboard_alone(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser, BASE)
    tab_to(page, "Skip to main content")
    page.keyboard.press("Enter")
    tab_to(page, "q")
    page.keyboard.type("hr")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=hr"))
    tab_to(page, "Skip to main content")
    page.keyboard.press("Enter")
    tab_to(page, "hr")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/domain/hr/$"))
    # What scrolls can be scrolled by the keyboard too.
    tab_to(page, page.locator(".dm-scroll").first.inner_text())


def test_pending_migration_turns_applied(windows: Windows, superuser: Any) -> None:
    page = windows.open(superuser, PAGES["domain"])
    row = page.locator("#migrations tr", has_text=PENDING)
    assert "○ pending" in row.inner_text()
    assert call("migrate_domain", "hr", verbosity=0).exit_status == 0
    page.reload()
    assert "✓ applied" in row.inner_text()
    assert "pending" not in row.inner_text()
    page.goto(BASE)
    assert "? unknown" in page.locator("#domains tr", has_text="hr").first.inner_text()


def test_permission_of_one_domain_does_not_open_another(windows: Windows, superuser: Any) -> None:
    page = windows.open(member("finance"), BASE)
    assert page.locator("#domains tbody th").all_inner_texts() == ["finance"]
    for name in ("domain", "migration", "run"):
        answer = page.goto(PAGES[name])
        assert answer is not None
        assert answer.status == 404, name
    answer = page.goto(f"{BASE}domain/finance/")
    assert answer is not None
    assert answer.status == 200


def test_signing_in_leads_to_the_page(windows: Windows, superuser: Any) -> None:
    superuser.set_password("a ward of seven beds")
    superuser.save()
    page = windows.open(None, PAGES["domain"])
    page.get_by_label("Username").fill(superuser.username)
    page.get_by_label("Password").fill("a ward of seven beds")
    page.get_by_role("button", name="Log in").click()
    assert page.locator("#content h1").inner_text() == "Domain hr"
