"""Operations that look before they leap, and the questions that they ask.

They are for databases that do not all look the same: one where somebody made the column by
hand, one that came from a dump, one that a failed deploy left half way. What is missing is made,
what is there and equal is left, and what is there and different is refused.
"""

from __future__ import annotations

from .alter_referenced_key import AlterReferencedKey
from .existing_table import DefinitionMismatch
from .fields import AddFieldIfMissing, RemoveFieldIfPresent
from .indexes_and_constraints import AddConstraintIfMissing, AddIndexIfMissing
from .introspection import has_column, has_constraint, has_index, has_table
from .models import CreateModelIfMissing

__all__ = [
    "AddConstraintIfMissing",
    "AddFieldIfMissing",
    "AddIndexIfMissing",
    "AlterReferencedKey",
    "CreateModelIfMissing",
    "DefinitionMismatch",
    "RemoveFieldIfPresent",
    "has_column",
    "has_constraint",
    "has_index",
    "has_table",
]
