"""The pages: each view takes a request and the domains that the user may look at."""

from __future__ import annotations

from .domain import domain
from .journal import journal, run
from .migration import migration
from .overview import overview

__all__ = ["domain", "journal", "migration", "overview", "run"]
