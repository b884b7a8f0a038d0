"""The pages: each view takes a request and the domains that the user may look at."""

from __future__ import annotations

from .domain import domain
from .journal import journal, run
from .map import domains_map
from .migration import migration
from .overview import overview

__all__ = ["domain", "domains_map", "journal", "migration", "overview", "run"]
