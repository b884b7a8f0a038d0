"""The edits of the project's code that a model's move needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..source_code.blocker import Blocker
from ..source_code.file_changes import FileChange


@dataclass(frozen=True)
class ByHand:
    """A line that people have to judge, and edit if need be."""

    path: Path
    line: int
    text: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "path": str(self.path)}


@dataclass(frozen=True)
class CodeEdits:
    """The edits; nothing is written yet.

    Attributes:
        modules: dotted name → file, of modules that do not exist yet.
        by_hand: lines that are not edited.
    """

    changes: tuple[FileChange, ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)
    by_hand: tuple[ByHand, ...] = ()
    blockers: tuple[Blocker, ...] = ()
