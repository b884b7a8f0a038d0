"""The page of obstacles has every id."""

from __future__ import annotations

import re

from tests.support.commands import ROOT

FOLDER = ROOT / "domain_migrations" / "api" / "distribute"
IDS = re.compile(r'(?:obstacle\(|(?:yield|return) \(|id=)\s*"([a-z_]+)"')
LISTED = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)


def test_all_obstacles_are_listed() -> None:
    sources = [path.read_text() for path in sorted(FOLDER.glob("*obstacles.py"))]
    used = {found for source in sources for found in IDS.findall(source)}
    page = (ROOT / "docs" / "reference" / "obstacles.md").read_text()
    listed = LISTED.findall(page)
    assert len(used) > 25
    assert set(listed) == used
    assert len(listed) == len(set(listed))
