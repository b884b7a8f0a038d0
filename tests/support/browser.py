"""A browser for tests of pages: Debian's Chromium, driven by Playwright.

Fixtures for it are in tests/browser/conftest.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from django.test.utils import override_settings

from tests.support.requirements import missing, need_program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WIDE = (1280, 900)
NARROW = (400, 800)
SERIOUS = ("serious", "critical")
# Root's Chromium has no sandbox; nothing but our own pages is opened in it.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; the test is skipped where there is none."""
    program = need_program("chromium")
    if find_spec("playwright") is None:
        missing("The package playwright is missing: pip install -r requirements-dev.txt.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Site:
    """The project, served from this process on the database of the test."""

    url: str

    def cookie(self, user: Any) -> Any:
        """The session cookie of somebody who has signed in."""
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        return {"name": name, "value": client.cookies[name].value, "url": self.url}


@contextmanager
def live_site() -> Iterator[Site]:
    """Serve the project; `connections["default"]` must point to the test's database already."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={})
    thread.daemon = True
    with override_settings(ALLOWED_HOSTS=["127.0.0.1", "testserver"]):
        thread.start()
        thread.is_ready.wait()
        try:
            if thread.error:
                raise thread.error
            yield Site(f"http://127.0.0.1:{thread.port}")
        finally:
            thread.terminate()


@dataclass
class Windows:
    """Opens pages, and keeps what they should not have done.

    Attributes:
        complaints: errors on the console, requests refused by the page's own policy or sent to
            another host, and errors of scripts.
    """

    browser: Browser
    site: Site
    stack: ExitStack
    complaints: list[str] = field(default_factory=list)

    def open(
        self,
        user: Any = None,
        path: str = "/admin/",
        *,
        size: tuple[int, int] = WIDE,
        dark: bool = False,
        javascript: bool = True,
    ) -> Page:
        """A page of a new window, signed in as the user."""
        context: BrowserContext = self.browser.new_context(
            base_url=self.site.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        self.stack.callback(context.close)
        if user is not None:
            context.add_cookies([self.site.cookie(user)])
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._sent)
        page.goto(path)
        return page

    def _on_console(self, message: Any) -> None:
        # A page that answers 403 or 404 is an answer; what tests want of it they say.
        if message.type == "error" and "the server responded with a status" not in message.text:
            self.complaints.append(message.text)

    def _sent(self, request: Any) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and not (
            request.url.startswith(f"{self.site.url}/")
        ):
            self.complaints.append(f"request to {request.url}")


def accessibility_faults(page: Page) -> list[str]:
    """What axe-core finds on the page that is serious or critical, as text to read in a failure."""
    import axe_playwright_python

    script = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
    # Through the debugger's protocol, which the page's policy does not concern.
    page.evaluate(script)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {node['html']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def horizontal_overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window; 0 where nothing scrolls sideways."""
    width: int = page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
        " - document.documentElement.clientWidth"
    )
    return width
