"""The rule, looked at in a live database: what got in past the models and the guard."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ..domains import Domain
from .live.finding import Finding

__all__ = ["Finding", "boundary_findings", "leftover_findings"]


def boundary_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield the objects that cross the boundary of the domain, from it or to it."""
    yield from ()


def leftover_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield what was left behind in the domain's name."""
    yield from ()
