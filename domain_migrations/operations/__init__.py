"""Idempotent operations, conversions of keys, and functions that query the live catalog.

Idempotent operations are for databases that differ from one another: one where a column was added
manually, one that was restored from a dump, one that a failed deployment left unfinished. Such an
operation creates what is missing, keeps what is equal and refuses what differs.
"""

from __future__ import annotations

from .alter_referenced_key import AlterReferencedKey
from .convert_reference import ConvertToForeignKey, ConvertToReference, DanglingReferences
from .existing_table import DefinitionMismatch
from .fields import AddFieldIfMissing, RemoveFieldIfPresent
from .introspection import has_column, has_constraint, has_index, has_table
from .models import AddConstraintIfMissing, AddIndexIfMissing, CreateModelIfMissing

__all__ = [
    "AddConstraintIfMissing",
    "AddFieldIfMissing",
    "AddIndexIfMissing",
    "AlterReferencedKey",
    "ConvertToForeignKey",
    "ConvertToReference",
    "CreateModelIfMissing",
    "DanglingReferences",
    "DefinitionMismatch",
    "RemoveFieldIfPresent",
    "has_column",
    "has_constraint",
    "has_index",
    "has_table",
]
