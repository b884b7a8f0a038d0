"""Every schema operation of Django, as sequences of operations for tables in any schema."""

from __future__ import annotations

from tests.backends.cases import combinations, constraints, fields, indexes, relations, tables
from tests.backends.cases.sequence import STORIES, Story

__all__ = [
    "STORIES",
    "Story",
    "combinations",
    "constraints",
    "fields",
    "indexes",
    "relations",
    "tables",
]
