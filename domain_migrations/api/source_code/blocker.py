"""Why source cannot be edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Blocker:
    """A reason why the code cannot be edited."""

    message: str
    hint: str

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))
