"""How many rows a seed has made, changed and left alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """How many rows were made, changed, and left as the site has them.

    A row of which some columns were changed and others kept counts as both; one that the site
    has deleted counts as kept.
    """

    inserted: int = 0
    updated: int = 0
    kept: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.inserted + other.inserted, self.updated + other.updated, self.kept + other.kept
        )


NOTHING = Counts()
