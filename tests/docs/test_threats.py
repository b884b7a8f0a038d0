"""The page of who may do what: each of its lines names a test that exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.commands import ROOT

PAGE = (ROOT / "docs/explanation/threats.md").read_text()
LINES = [line for line in PAGE.splitlines() if line.startswith("| ") and "| test |" not in line]
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_promise_names_a_test() -> None:
    assert len(LINES) > 20
    assert [line for line in LINES if not re.search(r"\| `tests/.+::\w+` \|$", line)] == []


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_the_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
