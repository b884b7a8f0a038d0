"""A sequence: the initial operations, and a migration that changes their result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.migrations import CreateModel
from django.db.migrations.operations.base import Operation

APP = "shop"

Spell = Callable[[str], str]
"""Turns a table's name into its `db_table`."""


@dataclass(frozen=True)
class Story:
    """Operations of a first migration and of a second one, which is reverted too."""

    before: list[Operation] = field(default_factory=list)
    then: list[Operation] = field(default_factory=list)
    atomic: bool = True


STORIES: dict[str, Callable[[Spell], Story]] = {}


def story(write: Callable[[Spell], Story]) -> Callable[[Spell], Story]:
    """Add a story to the gallery under its function's name."""
    STORIES[write.__name__] = write
    return write


def table(
    spell: Spell,
    name: str,
    fields: dict[str, models.Field[Any, Any]] | None = None,
    /,
    *,
    key: models.Field[Any, Any] | None = None,
    bases: tuple[Any, ...] = (models.Model,),
    **options: Any,
) -> CreateModel:
    """CreateModel of a table with a key and these fields."""
    named = {"id": key or models.BigAutoField(primary_key=True), **(fields or {})}
    options = {"db_table": spell(name.lower()), **options}
    return CreateModel(name, list(named.items()), options, bases)
