"""Every schema operation of Django, as a story that can be told of tables in any schema."""

from __future__ import annotations

from tests.backend.gallery import constraints, fields, indexes, mixtures, relations, tables
from tests.backend.gallery.story import STORIES, Story

__all__ = [
    "STORIES",
    "Story",
    "constraints",
    "fields",
    "indexes",
    "mixtures",
    "relations",
    "tables",
]
