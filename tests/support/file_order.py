"""The order of the test files: the longest first, so that all workers end at about the same time.

A worker takes whole files. xdist would begin with those of many tests, and end with those of one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.support.commands import ROOT

LIST = ROOT / "tests/longest_files.txt"
SHARE = 0.015
"""Of the time of a whole run: a file that takes more is missed in the list."""


def longest_files(path: Path = LIST) -> list[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def sort_by_file(items: list[pytest.Item], longest: Sequence[str]) -> None:
    """Put the tests of the longest files first, and then those of files of many tests."""
    ranks = {name: rank for rank, name in enumerate(longest)}
    names = {item: file_of(item.nodeid) for item in items}
    sizes = Counter(names.values())

    def key(item: pytest.Item) -> tuple[int, int, str]:
        name = names[item]
        return ranks.get(name, len(ranks)), -sizes[name], name

    items.sort(key=key)


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def missing_files(
    durations: Iterable[tuple[str, float]], longest: Sequence[str]
) -> list[tuple[str, float]]:
    """Return the long files that are not listed, with their seconds; [] unless all ran.

    Arguments:
        durations: node ids of tests, and seconds.
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    for nodeid, duration in durations:
        seconds[file_of(nodeid)] += duration
    if not seconds.keys() >= set(longest):
        return []
    least = SHARE * sum(seconds.values())
    found = [
        (name, taken) for name, taken in seconds.items() if taken > least and name not in longest
    ]
    return sorted(found, key=lambda one: -one[1])
