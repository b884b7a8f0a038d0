"""Lines that people have to judge."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, order=True)
class ByHand:
    """A line that is not edited, or not as a person would, and why."""

    path: Path
    line: int
    text: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "path": str(self.path)}


def relocated(
    found: Iterable[ByHand], before: Mapping[Path, bytes], after: Mapping[Path, bytes]
) -> Iterator[ByHand]:
    """Yield the lines with their numbers and texts in the edited files.

    Arguments:
        before: the contents of edited files in which the lines were found.
        after: their contents now.
    """
    maps: dict[Path, list[int]] = {}
    for item in found:
        if item.path not in before or item.path not in after:
            yield item
            continue
        old, new = (_lines(contents[item.path]) for contents in (before, after))
        if item.path not in maps:
            maps[item.path] = _line_map(old, new)
        number = maps[item.path][item.line - 1]
        yield replace(item, line=number + 1, text=new[number].strip() if new else "")


def _line_map(old: list[str], new: list[str]) -> list[int]:
    """Return for each line the one that it is now, from 0; for one that is gone, the next."""
    found = [0] * len(old)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, start, end, new_start, new_end in matcher.get_opcodes():
        for number in range(start, end):
            last = max(new_end - 1, new_start)
            found[number] = min(new_start + number - start, last, max(len(new) - 1, 0))
    return found


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()
