"""Lines that people have to judge."""

from __future__ import annotations

from dataclasses import dataclass
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
