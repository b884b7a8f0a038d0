"""Sphinx configuration: `python -m sphinx -q -W -b html docs build/docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from domain_migrations import __version__

project = "Domain migrations"
author = "The domain-migrations maintainers"
project_copyright = "2026, the domain-migrations maintainers"
version = release = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
# Generate heading anchors in the same way as the common code hosts.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"{project} {version}"
