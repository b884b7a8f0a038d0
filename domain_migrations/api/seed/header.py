"""What a seed says of itself before it runs, and what is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...conf import SETTING
from ...exceptions import InvalidConfiguration
from .document import CORE_KEY, TAGS_KEY, Document, names_in
from .readers.csv import read_csv
from .readers.json import read_json
from .readers.yaml import read_yaml
from .seed_files import SeedFile, python_constants

TAGS = ("demo", "test", "production")
"""Environments that a seed can be kept to."""

READERS: dict[str, Callable[[SeedFile], Document]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}


@dataclass(frozen=True)
class SeedHeader:
    """What is known of a seed without running it."""

    tags: tuple[str, ...]
    writes_core: bool

    def runs_with(self, active: tuple[str, ...]) -> bool:
        """Return whether the seed belongs to an environment with these tags."""
        return not self.tags or bool(set(self.tags) & set(active))


def read(seed: SeedFile) -> Document:
    """Return what a data file says.

    Raises:
        SeedFailed: it cannot be read.
    """
    return READERS[seed.path.suffix](seed)


def header_of(seed: SeedFile) -> SeedHeader:
    """Return what a seed says of itself; of Python nothing runs for it.

    Raises:
        SeedFailed: it cannot be read, or has a tag that there is not.
    """
    if seed.is_python:
        constants = python_constants(seed)
        tags = names_in(seed, constants.get(TAGS_KEY, ()), None)
        head = SeedHeader(tags, constants.get(CORE_KEY) is True)
    else:
        document = read(seed)
        head = SeedHeader(document.tags, document.writes_core)
    for tag in head.tags:
        if tag not in TAGS:
            raise seed.failed(None, f"there is no tag “{tag}”; the tags are {', '.join(TAGS)}.")
    return head


def check_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tags in their order, each once.

    Raises:
        InvalidConfiguration: one of them is none.
    """
    for tag in tags:
        if tag not in TAGS:
            raise InvalidConfiguration(
                f"There is no tag “{tag}” for seeds.",
                hint=f'The tags of {SETTING}["SEED_TAGS"] and --tag are {", ".join(TAGS)}.',
            )
    return tuple(tag for tag in TAGS if tag in tags)
