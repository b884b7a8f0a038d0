"""A new domain in ``CODEOWNERS``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in its order; the file is made in the second."""

MARKER = "# start_domain adds a domain above this line."
MARKED = re.compile(r"^# start_domain\b", re.MULTILINE)
SECTION = f"# The domains, each with its owner.\n{MARKER}\n"


def owners_file(root: Path) -> Path:
    """Return the project's file, which may have to be made."""
    return next((root / name for name in PLACES if (root / name).is_file()), root / PLACES[1])


def add_owner(text: str, folders: Sequence[str], owner: str) -> str:
    """Return the text with the folders and their owner; with a section for them if need be."""
    if MARKED.search(text) is None:
        text = f"{text.rstrip()}\n\n{SECTION}" if text.strip() else SECTION
    lines = "".join(f"/{folder}/ {owner}\n" for folder in folders)
    return MARKED.sub(lambda marker: lines + marker[0], text, count=1)
