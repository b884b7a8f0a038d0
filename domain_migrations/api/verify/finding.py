"""One thing in a database that breaks the rule or was left behind."""

from __future__ import annotations

from dataclasses import dataclass

from ...domains import Domain


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        id: stable, from the table in ``boundary.catalog``; never used again for something else.
        kind: ``boundary`` or ``leftover``.
        domain: the name of the domain that has to put it right.
        object: what it is about, qualified, as PostgreSQL writes it.
        message: the object and what is wrong with it.
        hint: what to do.
    """

    id: str
    kind: str
    domain: str
    object: str
    message: str
    hint: str


Crossing = tuple[Finding, Domain | None]
"""A finding and the domain that is used, None where it cannot be told."""
