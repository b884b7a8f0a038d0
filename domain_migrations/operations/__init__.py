"""Idempotent operations, conversions of keys, transfers, and functions that query the catalog.

Idempotent operations are for databases that differ from one another: one where a column was added
manually, one that was restored from a dump, one that a failed deployment left unfinished. Such an
operation creates what is missing, keeps what is equal and refuses what differs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .alter_referenced_key import AlterReferencedKey as AlterReferencedKey
    from .convert_reference import ConvertToForeignKey as ConvertToForeignKey
    from .convert_reference import ConvertToReference as ConvertToReference
    from .convert_reference import DanglingReferences as DanglingReferences
    from .existing_table import DefinitionMismatch as DefinitionMismatch
    from .fields import AddFieldIfMissing as AddFieldIfMissing
    from .fields import RemoveFieldIfPresent as RemoveFieldIfPresent
    from .introspection import has_column as has_column
    from .introspection import has_constraint as has_constraint
    from .introspection import has_index as has_index
    from .introspection import has_table as has_table
    from .models import AddConstraintIfMissing as AddConstraintIfMissing
    from .models import AddIndexIfMissing as AddIndexIfMissing
    from .models import CreateModelIfMissing as CreateModelIfMissing
    from .remove_compat_views import RemoveCompatViews as RemoveCompatViews
    from .transfer import ReceiveTable as ReceiveTable
    from .transfer import TransferTable as TransferTable

MODULES = {
    "AddConstraintIfMissing": "models",
    "AddFieldIfMissing": "fields",
    "AddIndexIfMissing": "models",
    "AlterReferencedKey": "alter_referenced_key",
    "ConvertToForeignKey": "convert_reference",
    "ConvertToReference": "convert_reference",
    "CreateModelIfMissing": "models",
    "DanglingReferences": "convert_reference",
    "DefinitionMismatch": "existing_table",
    "ReceiveTable": "transfer",
    "RemoveCompatViews": "remove_compat_views",
    "RemoveFieldIfPresent": "fields",
    "TransferTable": "transfer",
    "has_column": "introspection",
    "has_constraint": "introspection",
    "has_index": "introspection",
    "has_table": "introspection",
}
"""The module of each name, imported on first use: each run detects changes of models, which needs
only the conversions."""

__all__ = tuple(sorted(MODULES))


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
