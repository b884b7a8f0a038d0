"""Former dependencies: on apps that have become another domain's, and that old migrations name.

A migration that was written when both apps belonged to one domain depends on the other app's. A
later one, usually that which converts the foreign keys to references, declares that this is over:
``former_dependencies = ["inventory"]`` in its class. The applied files stay as they are.
"""

from __future__ import annotations

import functools
from pathlib import Path

from .files import migrations_folders, source_stamps
from .parsing import FORMER, read_header


def former_dependencies(app_label: str) -> frozenset[str]:
    """Return the labels of the apps on which the app's migrations depended formerly."""
    found: set[str] = set()
    for folder in migrations_folders(app_label):
        if folder.is_dir():
            found |= _declared(folder, source_stamps(folder))
    return frozenset(found)


@functools.lru_cache(maxsize=4096)
def _declared(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> frozenset[str]:
    paths = [folder / name for name, *_ in stamps]
    # Parsing takes a hundred times as long as searching.
    declaring = [path for path in paths if FORMER.encode() in path.read_bytes()]
    return frozenset(label for path in declaring for label in read_header(path).former)
