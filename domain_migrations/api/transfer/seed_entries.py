"""The entries of seed files in YAML and JSON, as text: where each is, with its comments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class SeedEntry:
    """One key of a file and its value.

    Attributes:
        name: the key.
        start, end: where its text begins, with the comment above it, and ends.
        key_start, key_end: where the key itself is.
    """

    name: str
    start: int
    end: int
    key_start: int
    key_end: int

    def renamed(self, text: str, name: str) -> str:
        """Return the text with another key."""
        key = text[self.key_start : self.key_end].replace(self.name, name)
        return text[: self.key_start] + key + text[self.key_end :]


def yaml_entries(text: str) -> list[SeedEntry]:
    """Return the entries of a YAML file; none where they are in braces."""
    import yaml

    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None or root.flow_style:
        return []
    starts = [_with_comment(text, key.start_mark.index) for key, _ in root.value]
    ends = [*starts[1:], len(text)]
    return [
        SeedEntry(key.value, start, end, key.start_mark.index, key.end_mark.index)
        for (key, _), start, end in zip(root.value, starts, ends, strict=True)
    ]


def json_entries(text: str) -> list[SeedEntry]:
    """Return the entries of a JSON file, whose content was read without an error."""
    decoder = json.JSONDecoder()
    found: list[SeedEntry] = []
    start = _after_space(text, text.index("{") + 1)
    while text[start] != "}":
        name, key_end = decoder.raw_decode(text, start)
        _, end = decoder.raw_decode(text, _after_space(text, text.index(":", key_end) + 1))
        found.append(SeedEntry(name, start, end, start, key_end))
        start = _after_space(text, end)
        if text[start] == ",":
            start = _after_space(text, start + 1)
    return found


def without_yaml(text: str, entries: Sequence[SeedEntry], entry: SeedEntry) -> str:
    """Return a YAML file without one of its entries."""
    rest = text[: entry.start] + text[entry.end :]
    return rest if entry.end < len(text) else f"{rest.rstrip()}\n"


def without_json(text: str, entries: Sequence[SeedEntry], entry: SeedEntry) -> str:
    """Return a JSON file without one of its entries, and without its comma."""
    place = entries.index(entry)
    if place + 1 < len(entries):
        return text[: entry.start] + text[entries[place + 1].start :]
    return text[: entries[place - 1].end if place else entry.start] + text[entry.end :]


def yaml_of(texts: Iterable[str]) -> str:
    """Return a YAML file with these entries."""
    return "\n".join(f"{text.strip()}\n" for text in texts)


def json_of(texts: Iterable[str]) -> str:
    """Return a JSON file with these entries."""
    return "{\n  " + ",\n  ".join(texts) + "\n}\n"


@dataclass(frozen=True)
class SeedFormat:
    """How entries are found, taken out and written in one format."""

    entries: Callable[[str], list[SeedEntry]]
    without: Callable[[str, Sequence[SeedEntry], SeedEntry], str]
    of: Callable[[Iterable[str]], str]


YAML = SeedFormat(yaml_entries, without_yaml, yaml_of)
FORMATS = {
    ".yaml": YAML,
    ".yml": YAML,
    ".json": SeedFormat(json_entries, without_json, json_of),
}


def _after_space(text: str, start: int) -> int:
    match = SPACE.match(text, start)
    return match.end() if match else start


def _with_comment(text: str, start: int) -> int:
    """Return where the comment lines directly above a line begin."""
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].startswith("#"):
            break
        start = above
    return start
