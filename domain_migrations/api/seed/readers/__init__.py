"""Readers of seeds in CSV, JSON and YAML, which keep the line of every row."""

from __future__ import annotations

from collections.abc import Callable

from ..document import CORE_KEY, TAGS, TAGS_KEY, Document, SeedHeader, names_in
from ..seed_files import SeedFile, python_constants
from .csv import read_csv
from .json import read_json
from .yaml import read_yaml

READERS: dict[str, Callable[[SeedFile], Document]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}


def read(seed: SeedFile) -> Document:
    """Return the content of a data file, or raise SeedFailed."""
    try:
        return READERS[seed.path.suffix](seed)
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise seed.failed(line, "this is not UTF-8.") from exc
    except RecursionError as exc:
        raise seed.failed(None, "the values are nested too deeply.") from exc


def header_of(seed: SeedFile) -> SeedHeader:
    """Return the settings of a seed, or raise SeedFailed; a seed in Python is not run for it."""
    if seed.is_python:
        constants = python_constants(seed)
        tags = names_in(seed, constants.get(TAGS_KEY, ()), None)
        header = SeedHeader(tags, constants.get(CORE_KEY) is True)
    else:
        header = read(seed).header
    for tag in header.tags:
        if tag not in TAGS:
            raise seed.failed(None, f'there is no tag "{tag}"; the tags are {", ".join(TAGS)}.')
    return header
