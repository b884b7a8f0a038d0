"""The order of the test files, and the list that it follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from tests.support.commands import ROOT
from tests.support.file_order import longest_files, missing_files, sort_by_file

LONGEST = ["tests/test_long.py", "tests/test_next.py"]


@dataclass(frozen=True)
class Item:
    nodeid: str


def test_listed_files_exist__and_once() -> None:
    files = longest_files()
    assert files
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert len(set(files)) == len(files)


def test_longest_files_come_first_and_then_those_of_many_tests() -> None:
    nodeids = [
        *("tests/test_few.py::test_a", "tests/test_many.py::test_b", "tests/test_next.py::test_c"),
        *("tests/test_many.py::test_a", "tests/test_long.py::test_d", "tests/test_alone.py::test"),
    ]
    items = [Item(nodeid) for nodeid in nodeids]
    sort_by_file(cast("list[pytest.Item]", items), LONGEST)
    assert [item.nodeid for item in items] == [
        "tests/test_long.py::test_d",
        "tests/test_next.py::test_c",
        "tests/test_many.py::test_b",
        "tests/test_many.py::test_a",
        "tests/test_alone.py::test",
        "tests/test_few.py::test_a",
    ]


def test_long_files_that_are_not_listed_are_named_after_a_whole_run() -> None:
    durations = [
        *(("tests/test_long.py::test_a", 50.0), ("tests/test_next.py::test_a", 20.0)),
        *(("tests/test_new.py::test_a", 1.0), ("tests/test_new.py::test_b", 1.0)),
        *(("tests/test_slow.py::test_a", 27.5), ("tests/test_quick.py::test_a", 0.5)),
    ]
    assert missing_files(durations, LONGEST) == [
        ("tests/test_slow.py", 27.5),
        ("tests/test_new.py", 2.0),
    ]
    assert missing_files(durations, [*LONGEST, "tests/test_not_run.py"]) == []
