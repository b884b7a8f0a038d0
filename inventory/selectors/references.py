"""Rows of other domains, of which the inventory keeps only the id.

Another domain need not be installed or migrated: its model is looked up by name, and a row that
is not there is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db.models import Model

EMPLOYEE = "hr.Employee"
INVOICE = "finance.Invoice"
ACCOUNT = "finance.Account"


def rows_by_id(model_label: str, ids: Iterable[int | None]) -> dict[int, Model]:
    """Return the rows of another domain with these ids, in one query; none if it is absent."""
    wanted = {row_id for row_id in ids if row_id is not None}
    try:
        model = apps.get_model(model_label)
    except LookupError:
        return {}
    return model._default_manager.in_bulk(wanted) if wanted else {}


def describe(model_label: str, row_id: int | None) -> str:
    """Return how another domain describes its row, the id alone if it does not have it."""
    if row_id is None:
        return ""
    row = rows_by_id(model_label, [row_id]).get(row_id)
    return str(row) if row else f"#{row_id}"
