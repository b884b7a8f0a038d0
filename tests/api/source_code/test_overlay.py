"""What a process sees of planned files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from domain_migrations.api.source_code.file_changes import FileChange
from domain_migrations.api.source_code.overlay import run_with

ANSWERS = b"""
import os, pkgutil, sys

def answer(a):
    import planned_package as package
    import planned_package.kept, planned_package.edited
    return {
        "a": a,
        "file": __file__,
        "here": os.getcwd(),
        "listed": sorted(name for _, name, _ in pkgutil.iter_modules(package.__path__)),
        "kept": package.kept.VALUE,
        "edited": package.edited.VALUE,
        "path": sys.path,
    }

def fail():
    1 / 0

def end():
    os._exit(3)
"""


@pytest.fixture
def changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[FileChange]:
    """A package on Python's path: a file edited, one created, one deleted, two that stay."""
    folder = tmp_path / "planned_package"
    folder.mkdir()
    for name in ("__init__", "kept", "edited", "gone"):
        (folder / f"{name}.py").write_text("VALUE = 1\n")
    (tmp_path / "tools").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "tools"), str(tmp_path), *sys.path])
    monkeypatch.chdir(tmp_path)
    return [
        FileChange(folder / "edited.py", b"VALUE = 1\n", b"VALUE = 2\n"),
        FileChange(folder / "gone.py", b"VALUE = 1\n", None),
        FileChange(folder / "inner/new.py", None, b""),
        FileChange(folder / "new.py", None, b""),
        FileChange(tmp_path / "planned_answers.py", None, ANSWERS),
    ]


def _run(changes: list[FileChange], function: str, *arguments: str) -> dict[str, Any]:
    return run_with(changes, f"planned_answers:{function}", arguments)


def test_planned_files_are_there_and_deleted_ones_are_not(
    changes: list[FileChange], tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    found = _run(changes, "answer", "ä")
    path = found.pop("path")
    assert found == {
        "a": "ä",
        "file": str(tmp_path / "planned_answers.py"),
        "here": str(tmp_path),
        "listed": ["edited", "kept", "new"],
        "kept": 1,
        "edited": 2,
    }
    assert path[:2] == [str(tmp_path / "tools"), str(tmp_path)]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_not_on_the_path_is_imported_from(
    changes: list[FileChange], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[2:])
    assert _run(changes, "answer", "x")["edited"] == 2


def test_an_error_is_the_answer(changes: list[FileChange]) -> None:
    assert _run(changes, "fail")["failed"] == "ZeroDivisionError: division by zero"
    assert _run(changes, "end") == {"failed": "exit 3"}
