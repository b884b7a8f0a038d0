"""Obstacles: what has to be changed before a domain can be moved to where it shall be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Obstacle:
    """One thing that has to be changed before the move can start.

    Attributes:
        side: the alias of the database that it is in; empty for the code.
        object: the table, role, setting … that it is about.
        remedy: the statement or the command that removes it.
        id: a word that scripts know it by; empty for the obstacles of an extraction.
        domain: whose move it prevents; empty for all.
    """

    side: str
    object: str
    message: str
    remedy: str
    id: str = ""
    domain: str = ""

    def as_json(self) -> dict[str, str]:
        found = {
            "database": self.side,
            "object": self.object,
            "message": self.message,
            "remedy": self.remedy,
        }
        return {"id": self.id, "domain": self.domain, **found} if self.id else found
