"""What was found in a migration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...engine.sources.files import MigrationKey

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class LintFinding:
    """Something dangerous.

    Attributes:
        sql: the statement; empty where it is about the migration as such.
        line: in the migration's file, None where it cannot be told.
    """

    rule: str
    level: Level
    domain: str
    key: MigrationKey
    sql: str = ""
    message: str
    hint: str
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "level": self.level,
            "domain": self.domain,
            **self.key.as_json(),
            "sql": self.sql,
            "message": self.message,
            "hint": self.hint,
        }
