"""The pictures that the documentation shows are there, and small."""

from __future__ import annotations

import re

from tests.browser.screenshots import FOLDER, LARGEST, PICTURES
from tests.support.commands import ROOT


def test_pictures_are_those_of_the_script_and_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(sizes) == {f"{picture.name}.png" for picture in PICTURES}
    assert max(sizes.values()) <= LARGEST


def test_pictures_that_are_shown_are_there() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for image in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / image).is_file(), (page.name, image)
