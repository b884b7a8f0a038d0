"""Creates the pictures of docs/images: the main pages, wide and narrow, light and dark.

    python -m tests.browser.screenshots [FOLDER]

On a server and a database of its own, which are gone afterwards.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.commands import ROOT

FOLDER = ROOT / "docs/images"
LARGEST = 150_000
COLOURS = 128
PAGES = "/admin/domain_migrations/domain/"
CROSSING = "ALTER TABLE hr.positions ADD drug bigint CONSTRAINT stray REFERENCES inventory.drugs"


class Picture(NamedTuple):
    """A page, and how it is looked at; `click` opens something on it first."""

    name: str
    path: str
    dark: bool = False
    narrow: bool = False
    click: str = ""


PICTURES = (
    Picture("overview", PAGES),
    Picture("overview-narrow-dark", PAGES, dark=True, narrow=True),
    Picture("domain", f"{PAGES}domain/hr/"),
    Picture("migration", f"{PAGES}domain/hr/hr/0012_assignment_location/", dark=True),
    Picture("journal", f"{PAGES}journal/"),
    Picture("map", f"{PAGES}map/", click="a.edge--violation .count"),
    Picture("map-dark", f"{PAGES}map/", dark=True),
    Picture("map-narrow", f"{PAGES}map/", narrow=True),
    Picture("drugs", "/admin/inventory/drug/"),
)


@contextmanager
def project() -> Iterator[Any]:
    """The project, served on a database with something in it; gives the site and a user."""
    from django.db import connections

    from config.database import ENGINE
    from tests.support import databases, servers
    from tests.support.browser import live_site
    from tests.support.commands import call

    with ExitStack() as stack:
        servers.make_folder()
        folder = Path(os.environ[servers.FOLDER_VARIABLE])
        stack.callback(servers.remove, folder)
        server = servers.session_server()
        stack.callback(server.cluster.leave)
        server.start()
        settings = connections.settings["default"]
        settings.update(ENGINE=ENGINE, PASSWORD="", OPTIONS={}, CONN_MAX_AGE=0, **server.settings)
        connections["default"] = connections.create_connection("default")
        name = stack.enter_context(databases.scratch(server))
        stack.enter_context(databases.default_database(name))
        for arguments in (
            ("migrate",),
            *(("seed_domain", each, "--tag", "demo") for each in SEEDED),
        ):
            result = call(*arguments, verbosity=0)
            assert result.exit_status == 0, result.stderr
        yield stack.enter_context(live_site()), fill()


SEEDED = ("core", "inventory", "hr", "finance")


def fill() -> Any:
    """Add what makes pages worth looking at; somebody to look at them."""
    from tests.admin.sample_data import names
    from tests.support.business import make_user
    from tests.support.catalog import execute
    from tests.support.commands import call

    call("migrate_domain", "hr", names("hr")[-3], verbosity=0)
    execute(CROSSING)
    call("verify_domain", verbosity=0)
    return make_user(username="somchai", is_staff=True, is_superuser=True)


def take(picture: Picture, page: Any) -> bytes:
    """Return a picture of the page as a PNG of few colours."""
    from PIL import Image

    status = page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")
    assert status == 200, (picture, status)
    if picture.click:
        page.locator(picture.click).click()
    height = page.evaluate("document.documentElement.scrollHeight")
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": width, "height": min(height, 900)})
    page.evaluate("window.scrollTo(0, 0)")
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = io.BytesIO()
    taken.quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(folder: Path = FOLDER) -> None:
    """Write every picture into the folder."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Playwright runs an event loop in this thread, and Django refuses the ORM in such.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from tests.support.browser import NARROW, WIDE, Windows, chromium

    folder.mkdir(parents=True, exist_ok=True)
    with project() as (site, user), chromium() as browser, ExitStack() as stack:
        windows = Windows(browser, site, stack)
        for picture in PICTURES:
            size = NARROW if picture.narrow else WIDE
            page = windows.open(user, picture.path, size=size, dark=picture.dark)
            content = take(picture, page)
            if len(content) > LARGEST:
                sys.exit(f"{picture.name} has {len(content)} bytes, more than {LARGEST}.")
            (folder / f"{picture.name}.png").write_bytes(content)
            print(f"{picture.name}.png: {len(content)} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
