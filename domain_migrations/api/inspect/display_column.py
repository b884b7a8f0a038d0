"""The column of a table whose value says which row it is."""

from __future__ import annotations

from collections.abc import Iterator

from .planned_model import ModelPlan
from .schema_description import Column

TEXT_TYPES = ("text", "character", "public.citext")
NAMES = ("name", "full_name", "title", "label", "display_name", "username")
NAME_ENDINGS = ("_name", "_title", "_label")
CODES = ("code", "slug", "number")
CODE_ENDINGS = ("_code", "_number", "_no")


def display_column(model: ModelPlan) -> Column | None:
    """Return the column for ``__str__``: a name, or else a code; None if the table has neither.

    A column like ``drug_name`` or ``po_number`` counts in the order of the table, but for one that
    names something else: what another column refers to.
    """
    found = {
        column.name: column
        for column in model.relation.columns
        if column.type.startswith(TEXT_TYPES) and column.name not in model.references
    }
    return next((found[name] for name in _candidates(found, model) if name in found), None)


def _candidates(columns: dict[str, Column], model: ModelPlan) -> Iterator[str]:
    referred = {name.removesuffix("_id") for name in model.references}
    own = [name for name in columns if name.rpartition("_")[0] not in referred]
    yield from NAMES
    yield from (name for name in own if name.endswith(NAME_ENDINGS))
    yield from CODES
    unique = (name for name in own if _is_unique(model, name))
    yield from (name for name in unique if name.endswith(CODE_ENDINGS))


def _is_unique(model: ModelPlan, column: str) -> bool:
    return any(
        index.unique and [key.column for key in index.keys] == [column]
        for index in model.relation.indexes
    )
